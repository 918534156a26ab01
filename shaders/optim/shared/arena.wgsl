// What kernels share that update each parameter of an arena by itself: their `main`. The kernel, or a part before this
// one, says
//   fn update(i: u32, gradient: f32)    updates parameter i and its state
// and has the arena's length among its parameters, `gradients` and the loss scale by these names.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i < params.length && loss_scale[APPLIES] != 0.0 {
        update(i, gradients[i]);
    }
}
