// Draws the order of an epoch: order[i] is where a random permutation of 0..count sends i.
//
// A Feistel network over the next power of four, walked until the image lies in range (src/math/random.rs, permute).

struct Params {
    count: u32,
    half_bits: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> order: array<u32>; // [at least count]

const STREAM: u32 = 0u; // Stream::Shuffle
const FEISTEL_ROUNDS: u32 = 12u;

fn permute_once(image: u32) -> u32 {
    let seed = vec2<u32>(current.seed_low, current.seed_high);
    let mask = (1u << params.half_bits) - 1u;
    var left = image >> params.half_bits;
    var right = image & mask;
    for (var round = 0u; round < FEISTEL_ROUNDS; round++) {
        let random = philox(vec4<u32>(right, round, STREAM, current.epoch), seed);
        let next = (left ^ random.x) & mask;
        left = right;
        right = next;
    }
    let mixed = (left << params.half_bits) | right;
    // Feistel networks of four bits or more make even permutations only; a coin that exchanges 0 and 1 adds the odd.
    if mixed < 2u {
        return mixed ^ (philox(vec4<u32>(0u, FEISTEL_ROUNDS, STREAM, current.epoch), seed).x & 1u);
    }
    return mixed;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = linear_index(group, groups, thread);
    if index >= params.count {
        return;
    }
    var image = permute_once(index);
    // A permutation's cycle through `index` comes back into range, so this ends.
    while image >= params.count {
        image = permute_once(image);
    }
    order[index] = image;
}
