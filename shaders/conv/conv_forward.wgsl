// output = activation(weight * input + bias), where * is a cross-correlation, as in all deep-learning libraries. It is
// a product [out_channels, in_channels * taps] x [in_channels * taps, places]; see shaders/conv/shared/conv.wgsl.

struct Params {
    batch: u32,
    in_channels: u32,
    in_height: u32,
    in_width: u32,
    out_channels: u32,
    out_height: u32,
    out_width: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // [in_channels, in_height, in_width, batch]
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [out_channels, in_channels, kernel, kernel]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [out_channels]
@group(0) @binding(5) var<storage, read_write> output: array<stored>; // [out_channels, out_height, out_width, batch]

fn product_rows() -> u32 {
    return params.out_channels;
}

fn product_depth() -> u32 {
    return params.in_channels * taps();
}

const A_K_CONTIGUOUS: bool = true;
const B_K_CONTIGUOUS: bool = false;

fn a_at(m: u32, k: u32) -> f32 {
    let depth = params.in_channels * taps();
    if m < params.out_channels && k < depth {
        return weight[m * depth + k];
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    if k < params.in_channels * taps() && n < output_places() {
        let at = input_at(k, n);
        if at != OUTSIDE {
            return f32(input[at]);
        }
    }
    return 0.0;
}

fn store(m: u32, n: u32, product: f32) {
    if m < params.out_channels && n < output_places() {
        output[m * output_places() + n] = stored(activate(product + bias[m]));
    }
}
