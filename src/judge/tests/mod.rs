//! Every form over traces made by hand.

mod ends;
mod flows;
mod memory;
mod patterns;
mod repeated;
mod states;
