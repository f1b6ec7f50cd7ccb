//! stub
pub struct Arena;
