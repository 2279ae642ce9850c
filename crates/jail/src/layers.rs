//! One step for each layer.

pub(crate) mod capabilities;
pub(crate) mod descriptors;
pub(crate) mod identity;
pub(crate) mod landlock;
pub(crate) mod mounts;
pub(crate) mod namespaces;
pub(crate) mod root;
