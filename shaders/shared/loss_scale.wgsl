// Positions in the tensor `loss_scale` [5]. The loss scale is a factor on the loss that keeps small gradients in half
// precision from becoming zero.

const SCALE: u32 = 0u;
const INVERSE: u32 = 1u; // 1 / scale
const UPDATES: u32 = 2u; // updates counted towards the next doubling of the scale
const APPLIES: u32 = 3u; // 0 if gradients overflowed and the update is skipped, else 1
const LEFT_OUT: u32 = 4u; // updates skipped so far
