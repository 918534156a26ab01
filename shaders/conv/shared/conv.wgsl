// Convolutions as matrix products. One operand holds the windows of an image [channels, height, width, batch]. It is
// never in memory: its elements are read from the image when they are needed.
//
// Examples are innermost. Each pair of pixel and example is one column of the product, and neighbouring columns are
// neighbours in memory.
//
// The kernel's Params have the sizes of a convolution: batch, in_channels, .., padding.

// A column of a product: row and column of a pixel, and the example.
struct Place {
    row: u32,
    column: u32,
    example: u32,
}

fn place_of(n: u32, width: u32) -> Place {
    let position = n / params.batch;
    return Place(position / width, position % width, n % params.batch);
}

// A row of the operand that holds the windows: a channel, and row and column within the window.
struct Tap {
    channel: u32,
    row: u32,
    column: u32,
}

fn tap_of(k: u32) -> Tap {
    let area = params.kernel * params.kernel;
    let within = k % area;
    return Tap(k / area, within / params.kernel, within % params.kernel);
}

fn taps() -> u32 {
    return params.kernel * params.kernel;
}

// The number of columns of a product over the output's pixels and examples.
fn output_places() -> u32 {
    return params.out_height * params.out_width * params.batch;
}

// Index of the input element that output place n sees through tap k, or OUTSIDE if that is padding.
fn input_at(k: u32, n: u32) -> u32 {
    let tap = tap_of(k);
    let place = place_of(n, params.out_width);
    // Subtracting the padding last makes a negative result wrap around to a number that is too large.
    let row = place.row * params.stride + tap.row - params.padding;
    let column = place.column * params.stride + tap.column - params.padding;
    if row >= params.in_height || column >= params.in_width {
        return OUTSIDE;
    }
    return ((tap.channel * params.in_height + row) * params.in_width + column) * params.batch + place.example;
}

const OUTSIDE: u32 = 0xffffffffu;
