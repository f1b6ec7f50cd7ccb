//! stub
use super::*;
pub(super) fn parse(_t: &str, _s: &mut dyn Scope) -> Result<Expression, Vec<Fault>> {
    todo!()
}
