// Several sums at a time in a workgroup of 256 threads, in a fixed order. A sum has several threads, its lanes; each lane
// adds up every so many of the sum's terms. Neighbouring threads read neighbouring elements: terms of one sum where its
// terms lie side by side (`along`), else terms of neighbouring sums.

const LANE_THREADS: u32 = 256u;
const LANES_ALONG: u32 = 64u;
const LANES_ACROSS: u32 = 8u;

var<workgroup> lane_sums: array<vec2<f32>, 256>;

struct Lane {
    item: u32, // number of the sum
    number: u32, // of the lane among those of its sum
    place: u32, // in lane_sums
}

fn lanes(along: bool) -> u32 {
    return select(LANES_ACROSS, LANES_ALONG, along);
}

fn lane_of(group: u32, thread: u32, along: bool) -> Lane {
    let items = LANE_THREADS / lanes(along);
    let item = select(thread % items, thread / lanes(along), along);
    let number = select(thread / items, thread % lanes(along), along);
    return Lane(group * items + item, number, number * items + item);
}

// The two sums of what the lanes of an item hand in; each of its lanes gets them.
fn lane_sum(lane: Lane, along: bool, value: vec2<f32>) -> vec2<f32> {
    let items = LANE_THREADS / lanes(along);
    workgroupBarrier(); // until sums before these have been read
    lane_sums[lane.place] = value;
    workgroupBarrier();
    for (var width = lanes(along) / 2u; width > 0u; width /= 2u) {
        if lane.number < width {
            lane_sums[lane.place] += lane_sums[lane.place + width * items];
        }
        workgroupBarrier();
    }
    return lane_sums[lane.place - lane.number * items];
}
