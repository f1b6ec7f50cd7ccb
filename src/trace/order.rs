//! stub
use crate::event::Event;
/// stub
#[derive(Debug)]
pub struct Causality;
impl Causality {
    pub(super) fn happens_before(&self, _e: &[Event], _a: usize, _b: usize) -> bool {
        todo!()
    }
}
