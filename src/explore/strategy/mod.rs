//! The search strategies: breadth first, parallel, preemption bounded, random.

pub mod bfs;
pub(crate) mod bfs_parallel;
pub(crate) mod bfs_unreduced;
pub(crate) mod cycle_proviso;
pub(crate) mod depth_bound;
pub mod fallback;
pub(crate) mod preemption_bounded;
pub(crate) mod random_walk;
pub(crate) mod random_walk_parallel;
