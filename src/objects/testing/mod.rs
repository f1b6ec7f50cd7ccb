//! Harnesses in which a kind is tried alone, on the kernel and in the model.

#[cfg(test)]
pub(crate) mod kernel_harness;
#[cfg(test)]
pub(crate) mod model_harness;
#[cfg(test)]
pub(crate) mod one_model;
#[cfg(test)]
pub(crate) mod one_object;
