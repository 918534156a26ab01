// partials[s] = output_grad windows^T over slice s of the output's rows: a product [out_channels, places] x [places,
// in_channels * taps]. Its depth is cut into slices so that there are enough workgroups.

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
    slice_rows: u32, // output rows per slice; the last slice may have fewer
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [out_channels, out_height, out_width, batch]
@group(0) @binding(3) var<storage, read> input: array<stored>; // [in_channels, in_height, in_width, batch]
// [slices, out_channels, in_channels, kernel, kernel]
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

fn product_rows() -> u32 {
    return params.out_channels;
}

fn product_depth() -> u32 {
    return slice_end() - slice_start();
}

const A_K_CONTIGUOUS: bool = true;
const B_K_CONTIGUOUS: bool = true;

// The first place of the slice; slice_end is one past the last.
fn slice_start() -> u32 {
    return slice * params.slice_rows * params.out_width * params.batch;
}

fn slice_end() -> u32 {
    return min((slice + 1u) * params.slice_rows, params.out_height) * params.out_width * params.batch;
}

fn a_at(m: u32, k: u32) -> f32 {
    let place = slice_start() + k;
    if m < params.out_channels && place < slice_end() {
        return f32(output_grad[m * output_places() + place]);
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    let place = slice_start() + k;
    if place < slice_end() && n < params.in_channels * taps() {
        let at = input_at(n, place);
        if at != OUTSIDE {
            return f32(input[at]);
        }
    }
    return 0.0;
}

fn store(m: u32, n: u32, product: f32) {
    let columns = params.in_channels * taps();
    if m < params.out_channels && n < columns {
        partials[(slice * params.out_channels + m) * columns + n] = product;
    }
}
