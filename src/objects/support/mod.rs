//! What several kinds share.

pub(crate) mod blocking_call;
pub(crate) mod scalar;
pub(crate) mod settle;
pub(crate) mod turn;
pub(crate) mod wait_list;
