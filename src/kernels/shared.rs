//! What kernels of several families share.

pub(crate) mod loss_scale;
