//! The page as a whole: what it must never contain, what it must always have.
