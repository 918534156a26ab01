// Philox4x32-10 (Salmon et al., SC 2011): four random words from a counter and a key. src/math/random.rs computes the
// same.

// The 64-bit product of two words: the high word in x, the low word in y.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 16u);
    let carry = (middle & 0xffffu) + a0 * b1;
    return vec2<u32>(a1 * b1 + (middle >> 16u) + (carry >> 16u), a * b);
}

fn philox(first_counter: vec4<u32>, first_key: vec2<u32>) -> vec4<u32> {
    var counter = first_counter;
    var key = first_key;
    for (var round = 0u; round < 10u; round++) {
        let product0 = wide_product(0xd2511f53u, counter.x);
        let product1 = wide_product(0xcd9e8d57u, counter.z);
        counter = vec4<u32>(product1.x ^ counter.y ^ key.x, product1.y, product0.x ^ counter.w ^ key.y, product0.y);
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}
