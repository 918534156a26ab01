// The type in which activations and their gradients are stored. Kernels compute in f32. The backend replaces the type
// by f16 for plans in half precision.

alias stored = f32;
