//! stub
use super::Diagnostic;
/// stub
pub enum Format {
    Full,
}
/// stub
pub fn render(_d: &Diagnostic) -> String {
    String::new()
}
