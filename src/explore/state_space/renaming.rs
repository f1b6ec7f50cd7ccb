//! The numbers of what is alike: where another process of a program would stand the same, what another object of an array
//! would be the same.

use super::{StateSpace, pid};
use crate::event::{ObjectId, ProcessId};
use crate::value::Value;

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

    /// The values of some variables where a process stands.
    pub(crate) fn held_by_process(&self, number: u32, slots: &[u32]) -> Vec<Value> {
        let machine = &self.stands.things[number as usize].segment.machine;
        slots.iter().map(|slot| machine.slots()[*slot as usize].clone()).collect()
    }

    /// The messages of an object in a state, in their order.
    pub(crate) fn held_by_object(&self, object: ObjectId, number: u32) -> Vec<Value> {
        let mut model = self.shapes[object as usize].things[number as usize].copy();
        model.messages().into_iter().flatten().map(|value| value.clone()).collect()
    }

    /// The number of the same segment with other values of some variables.
    pub(crate) fn process_holding(
        &mut self,
        process: ProcessId,
        number: u32,
        slots: &[u32],
        to: &dyn Fn(&mut Value),
    ) -> u32 {
        let mut segment = self.stands.things[number as usize].segment.clone();
        for slot in slots {
            to(segment.machine.slot_mut(*slot));
        }
        self.number(process, segment)
    }

    /// The number of the same object with other messages.
    pub(crate) fn object_holding(&mut self, object: ObjectId, number: u32, to: &dyn Fn(&mut Value)) -> u32 {
        let mut model = self.shapes[object as usize].things[number as usize].copy();
        model.messages().into_iter().flatten().for_each(to);
        self.shape(object, model)
    }

    /// The number of the same object with its elements in another order, as [`Model::arranged`] has it.
    ///
    /// [`Model::arranged`]: crate::objects::Model::arranged
    pub(crate) fn object_arranged(&mut self, object: ObjectId, number: u32, order: &[u32]) -> u32 {
        let model = self.shapes[object as usize].things[number as usize].arranged(order);
        self.shape(object, model)
    }
}
