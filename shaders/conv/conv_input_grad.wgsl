// input_grad = (transposed convolution of output_grad with weight) * activation'(kept): the gradient of the
// pre-activation of the layer below. It is a product [in_channels, out_channels * taps] x [out_channels * taps, input
// places].

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
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [out_channels, out_height, out_width, batch]
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [out_channels, in_channels, kernel, kernel]
// The input, or its pre-activation: [in_channels, in_height, in_width, batch].
@group(0) @binding(4) var<storage, read> kept: array<stored>;
@group(0) @binding(5) var<storage, read_write> input_grad: array<stored>; // [in_channels, in_height, in_width, batch]

fn product_rows() -> u32 {
    return params.in_channels;
}

fn product_depth() -> u32 {
    return params.out_channels * taps();
}

const A_K_CONTIGUOUS: bool = true;
const B_K_CONTIGUOUS: bool = false;

fn input_places() -> u32 {
    return params.in_height * params.in_width * params.batch;
}

fn a_at(m: u32, k: u32) -> f32 {
    if m < params.in_channels && k < params.out_channels * taps() {
        return weight[((k / taps()) * params.in_channels + m) * taps() + k % taps()];
    }
    return 0.0;
}

// The output's gradient at the place that sees input place n through tap k, or 0 if there is no such place.
fn b_at(k: u32, n: u32) -> f32 {
    if k >= params.out_channels * taps() || n >= input_places() {
        return 0.0;
    }
    let tap = tap_of(k);
    let place = place_of(n, params.in_width);
    // A negative result wraps around to a number that is too large.
    let row = place.row + params.padding - tap.row;
    let column = place.column + params.padding - tap.column;
    let between = row % params.stride != 0u || column % params.stride != 0u;
    if between || row / params.stride >= params.out_height || column / params.stride >= params.out_width {
        return 0.0;
    }
    let position = (row / params.stride) * params.out_width + column / params.stride;
    return f32(output_grad[(tap.channel * params.out_height * params.out_width + position) * params.batch + place.example]);
}

fn store(m: u32, n: u32, product: f32) {
    if m < params.in_channels && n < input_places() {
        let at = m * input_places() + n;
        input_grad[at] = stored(product * derivative(f32(kept[at])));
    }
}
