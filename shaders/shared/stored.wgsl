// What activations and their gradients are stored as; what is computed with them is f32. A backend may put f16 here.

alias stored = f32;
