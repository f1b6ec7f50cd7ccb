//! stub
use super::*;
pub(super) fn evaluate<E: Environment + ?Sized>(_n: &super::parser::Node, _e: &mut E) -> Result<Value, Error> {
    todo!()
}
