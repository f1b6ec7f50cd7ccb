//! The numbers of what is alike: where another process of a program would stand the same, what another object of an array
//! would be the same.

use super::{StateSpace, pid};
use crate::event::{ObjectId, ProcessId};

impl StateSpace<'_> {
    /// The number of the same segment, were it that process's: `to` says which object stands there for which here.
    pub(crate) fn segment_as(&mut self, number: u32, process: ProcessId, to: &dyn Fn(ObjectId) -> ObjectId) -> u32 {
        let mut segment = self.stands.things[number as usize].segment.clone();
        segment.machine.stand_as(process, pid(process));
        for (object, _) in &mut segment.shares {
            *object = to(*object);
        }
        segment.shares.sort_unstable();
        self.number(process, segment)
    }

    /// The number of the same state of another object of its array.
    pub(crate) fn object_as(&mut self, (object, number): (ObjectId, u32), to: &dyn Fn(ObjectId) -> ObjectId) -> u32 {
        let model = self.shapes[object as usize].things[number as usize].exchanged(to);
        self.shape(to(object), model)
    }

    /// The number of the same object with its elements in another order, as [`Model::arranged`] has it.
    ///
    /// [`Model::arranged`]: crate::objects::Model::arranged
    pub(crate) fn object_arranged(&mut self, object: ObjectId, number: u32, order: &[u32]) -> u32 {
        let model = self.shapes[object as usize].things[number as usize].arranged(order);
        self.shape(object, model)
    }
}
