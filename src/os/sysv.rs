//! stub
pub struct Keeper;
