//! stub
/// stub
pub struct Function;
/// stub
pub static FUNCTIONS: &[Function] = &[];
