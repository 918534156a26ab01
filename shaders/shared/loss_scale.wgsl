// The factor on the loss whose gradient is made, so that gradients in half precision do not vanish: what its tensor `loss_scale` holds.

const SCALE: u32 = 0u;
const INVERSE: u32 = 1u; // 1 / scale
const UPDATES: u32 = 2u; // that were made since it changed, or could have
const APPLIES: u32 = 3u; // 0 where gradients overflowed, so that the update is left out
const LEFT_OUT: u32 = 4u; // updates so far
