//! Parity: a plan on a backend against the same plan on the CPU in `f64`, compared tensor by tensor after every launch.
//!
//! `gpunet doctor` checks the user's device, and the tests check every device that they find.

mod comparison;

use serde::Serialize;

pub use comparison::Comparison;

use crate::backend::DeviceError;
use crate::backend::cpu::{CpuBackend, CpuProgram};
use crate::backend::{Backend, Program};
use crate::kernels::KERNELS;
use crate::kernels::kernel::{Access, Case, DType, Kernel, Tolerance};
use crate::kernels::precision::Precision;
use crate::kernels::step::Step;
use crate::kernels::tile::Tile;
use crate::plan::{Data, Launch, Phase, Plan, PlanBuilder, Role, Tensor, When};

/// The result of all cases of a kernel.
#[derive(Clone, Debug, Serialize)]
pub struct KernelReport {
    /// The kernel's name.
    pub name: &'static str,
    /// Number of cases.
    pub cases: usize,
    /// Difference from the reference, for the value that came closest to its bound or exceeded it the most. It is the
    /// largest f64 if a value is not finite or an integer is wrong.
    pub max_error: f64,
    /// Largest difference allowed for that value.
    pub tolerance: f64,
    /// Whether every value of every case was within its bound.
    pub ok: bool,
    /// The first value out of bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl KernelReport {
    /// Adds a report of more cases.
    fn add(&mut self, more: KernelReport) {
        self.cases += more.cases;
        if more.max_error * self.tolerance > self.max_error * more.tolerance {
            (self.max_error, self.tolerance) = (more.max_error, more.tolerance);
        }
        self.ok &= more.ok;
        self.failure = self.failure.take().or(more.failure);
    }
}

/// The form in which a kernel is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// The tile of a product; `None` is the usual tile.
    pub tile: Option<&'static Tile>,
    /// The precision of stored activations and of products.
    pub precision: Precision,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "in {}", self.precision.name())?;
        self.tile.map_or(Ok(()), |tile| write!(f, ", tiles {}", tile.name))
    }
}

/// Runs all cases of every kernel on `backend`, then some of them in every other tile and precision that it has. `tell`
/// gets each report at once, since all of them can take minutes.
///
/// # Errors
/// A device that fails. A kernel with wrong results is no error; its report says so.
pub fn check_kernels(
    backend: &dyn Backend,
    tell: &mut dyn FnMut(&KernelReport),
) -> Result<Vec<KernelReport>, DeviceError> {
    let in_all_forms = |&kernel: &&'static Kernel| {
        let mut report = check_kernel(backend, kernel)?;
        for form in forms(backend, kernel) {
            report.add(check_kernel_in(backend, kernel, form)?);
        }
        tell(&report);
        Ok(report)
    };
    KERNELS.iter().map(in_all_forms).collect()
}

/// The forms of a kernel on a backend, besides the usual one.
pub fn forms(backend: &dyn Backend, kernel: &Kernel) -> Vec<Form> {
    let has = |precision: Precision| !precision.is_half() || kernel.takes_half() && backend.has_half();
    let tiles = |precision| {
        let mut tiles = if kernel.takes_any_tile() { backend.tiles(precision) } else { Vec::new() };
        // Other tiles multiply in plain f32 for `f32-split` too, and are already checked in f32.
        tiles.retain(|tile| precision != Precision::F32Split || tile.uses_matrices());
        tiles
    };
    let usual = has(Precision::F16).then_some(Form { tile: None, precision: Precision::F16 });
    let in_tiles = Precision::ALL
        .into_iter()
        .filter(|&precision| has(precision))
        .flat_map(|precision| tiles(precision).into_iter().map(move |tile| Form { tile: Some(tile), precision }));
    usual.into_iter().chain(in_tiles).collect()
}

/// Runs every case of one kernel on `backend`.
///
/// # Errors
/// A device that fails.
pub fn check_kernel(backend: &dyn Backend, kernel: &'static Kernel) -> Result<KernelReport, DeviceError> {
    check_cases(backend, kernel, &(kernel.cases)(), Form::default())
}

/// Runs cases of a kernel in another form. Only the cases with the first case's constants are used: other constants
/// only change the epilogue. With a tile, only products are checked.
///
/// # Errors
/// A device that fails.
pub fn check_kernel_in(
    backend: &dyn Backend,
    kernel: &'static Kernel,
    form: Form,
) -> Result<KernelReport, DeviceError> {
    let mut cases = (kernel.cases)();
    let constants = cases[0].constants.clone();
    cases.retain(|case| case.constants == constants);
    cases.retain(|case| form.tile.is_none() || (kernel.product)(&case.params).is_some());
    let mut report = check_cases(backend, kernel, &cases, form)?;
    report.failure = report.failure.map(|failure| format!("{form}: {failure}"));
    Ok(report)
}

fn check_cases(
    backend: &dyn Backend,
    kernel: &'static Kernel,
    cases: &[Case],
    form: Form,
) -> Result<KernelReport, DeviceError> {
    let reference = CpuBackend::<f64>::new(None)?;
    let mut all = Comparison::NONE;
    for case in cases {
        let (_, comparison) = check_case_in(backend, form, &reference, kernel, case)?;
        all.weigh(comparison.max_error, comparison.allowed);
        if let Some(failure) = comparison.failure {
            all.failure.get_or_insert(format!("{}: {failure}", case.label));
        }
    }
    Ok(KernelReport {
        name: kernel.name,
        cases: cases.len(),
        max_error: all.max_error,
        tolerance: all.allowed,
        ok: all.failure.is_none(),
        failure: all.failure,
    })
}

/// Runs one case on `backend`. Also returns the program, which holds only the case's launch, so that a benchmark can
/// time a launch that is correct.
///
/// # Errors
/// A device that fails. Wrong results are no error; the comparison says so.
pub fn check_case(
    backend: &dyn Backend,
    kernel: &'static Kernel,
    case: &Case,
) -> Result<(Box<dyn Program>, Comparison), DeviceError> {
    check_case_in(backend, Form::default(), &CpuBackend::new(None)?, kernel, case)
}

/// [`check_case`] in another form, with an existing reference backend.
pub(crate) fn check_case_in(
    backend: &dyn Backend,
    form: Form,
    reference: &CpuBackend<f64>,
    kernel: &'static Kernel,
    case: &Case,
) -> Result<(Box<dyn Program>, Comparison), DeviceError> {
    let (plan, args) = case_plan(kernel, case)?;
    let plan = plan.in_precision(form.precision)?;
    let mut program = match form.tile {
        Some(tile) => backend.load_in(&plan, tile)?,
        None => backend.load(&plan)?,
    };
    let mut expected = reference.load_program(&plan)?;
    for (slot, (input, &arg)) in case.inputs.iter().zip(&args).enumerate() {
        let info = plan.tensor(arg);
        let (floats, integers) = (input.floats(slot, info.len()), input.integers(info.len()));
        let data = match (info.dtype, &floats, &integers, input) {
            (DType::F32 | DType::F16, Some(values), _, _) => Data::F32(values),
            (DType::U32, _, Some(values), _) => Data::U32(values),
            (DType::U8, _, _, crate::kernels::kernel::Input::U8(values)) => Data::U8(values),
            _ => panic!("case {} of {}: slot {slot} takes {:?}", case.label, kernel.name, info.dtype),
        };
        program.write(arg, data)?;
        expected.write(arg, data)?;
    }
    let mut comparison = Comparison::NONE;
    compare_launch(program.as_mut(), &mut expected, Phase::Train, 0, &case.step, case.tolerance, &mut comparison)?;
    Ok((program, comparison))
}

/// A plan of one launch, with tensors exactly as long as the kernel needs.
fn case_plan(kernel: &'static Kernel, case: &Case) -> Result<(Plan, Vec<Tensor>), DeviceError> {
    let mut plan = PlanBuilder::new();
    let lengths = (kernel.lengths)(&case.params);
    let args: Vec<Tensor> = kernel
        .slots
        .iter()
        .zip(lengths)
        .map(|(slot, length)| plan.tensor(slot.name, &[length], slot.dtype, Role::Activation))
        .collect();
    plan.set_step_bounds(case.step.rows as usize, (case.step.start + case.step.rows) as usize);
    let (params, constants) = (case.params.clone(), case.constants.clone());
    plan.launch_erased(Phase::Train, Launch { kernel, params, constants, args: args.clone(), when: When::Always });
    Ok((plan.finish()?, args))
}

/// Runs one step of `phase` on both programs, launch by launch, and compares the tensors that each launch wrote. Stops
/// at the first launch that differs. Both programs must hold the same values before.
///
/// # Errors
/// A device that fails.
pub fn compare_step(
    program: &mut dyn Program,
    reference: &mut CpuProgram<f64>,
    phase: Phase,
    step: &Step,
    tolerance: Tolerance,
) -> Result<Comparison, DeviceError> {
    let mut comparison = Comparison::NONE;
    for index in 0..reference.plan().launches(phase).len() {
        compare_launch(program, reference, phase, index, step, tolerance, &mut comparison)?;
        if comparison.failure.is_some() {
            break;
        }
    }
    Ok(comparison)
}

fn compare_launch(
    program: &mut dyn Program,
    reference: &mut CpuProgram<f64>,
    phase: Phase,
    index: usize,
    step: &Step,
    tolerance: Tolerance,
    comparison: &mut Comparison,
) -> Result<(), DeviceError> {
    program.run_launch(phase, index, step)?;
    reference.run_launch(phase, index, step)?;
    let launch = reference.plan().launches(phase)[index].clone();
    let is_half = reference.plan().precision().is_half();
    let rounds = is_half && program.tile(phase, index).is_some_and(Tile::uses_matrices);
    let tolerance = if rounds { tolerance.of_half_operands() } else { tolerance };
    let written = launch.kernel.slots.iter().zip(&launch.args).filter(|(slot, _)| slot.access != Access::Read);
    for (slot, &arg) in written {
        let what = format!("launch {index}, {}: {}", launch.kernel.name, reference.plan().tensor(arg).name);
        match slot.dtype {
            DType::F32 | DType::F16 => {
                let values = program.slow_read_f32(arg)?;
                let dtype = reference.plan().tensor(arg).dtype;
                let tolerance = if dtype == DType::F16 { tolerance.in_half() } else { tolerance };
                comparison.add(&what, &values, reference.reals(arg), tolerance);
            }
            DType::U32 => {
                let (values, expected) = (program.slow_read_u32(arg)?, reference.slow_read_u32(arg)?);
                if let Some(at) = values.iter().zip(&expected).position(|(a, b)| a != b) {
                    let message = format!("{what}[{at}] is {} instead of {}", values[at], expected[at]);
                    comparison.failure.get_or_insert(message);
                    comparison.weigh(f64::MAX, 0.0);
                }
            }
            DType::U8 => unreachable!("no kernel writes bytes"),
        }
    }
    Ok(())
}
