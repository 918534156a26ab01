//! Compares kernel descriptors with their shaders by reflection. No adapter is needed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gpunet::low_level::kernels::KERNELS;
use gpunet::low_level::kernels::kernel::{Access, DType, Kernel, Scalar};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::kernels::tile::TILES;
use naga::valid::Capabilities;
use naga::{AddressSpace, ScalarKind, StorageAccess, TypeInner};

/// The families of kernels: folders in `shaders` and in `src/kernels`.
const FAMILIES: [&str; 9] = ["conv", "data", "dense", "elementwise", "loss", "norm", "optim", "pool", "product"];

/// Parses a kernel without capabilities: kernels may use plain WebGPU only.
fn parse(kernel: &Kernel) -> naga::Module {
    parse_with(kernel.name, kernel.wgsl, Capabilities::empty())
}

fn parse_with(name: &str, wgsl: &str, capabilities: Capabilities) -> naga::Module {
    let module =
        naga::front::wgsl::parse_str(wgsl).unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(wgsl)));
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(wgsl)));
    module
}

/// Each tile gets exactly the capabilities that it states: subgroups, f16, cooperative matrices.
#[test]
fn products_are_valid_with_every_tile() {
    // Those whose `main` is the one of all products.
    let is_product = |kernel: &&&Kernel| kernel.wgsl.contains("\n    tile_product(");
    let names = |kernels: Vec<&&Kernel>| kernels.into_iter().map(|kernel| kernel.name).collect::<Vec<_>>();
    let products: Vec<_> = KERNELS.iter().filter(|kernel| kernel.takes_any_tile()).collect();
    assert!(!products.is_empty());
    assert_eq!(names(products.clone()), names(KERNELS.iter().filter(is_product).collect()));
    for kernel in products {
        let forms = TILES.into_iter().flat_map(|tile| Precision::ALL.map(|precision| (tile, precision)));
        for (tile, precision) in forms.filter(|(tile, precision)| tile.takes(*precision)) {
            let wgsl = kernel.wgsl_in(Some(tile), precision);
            let subgroup = if tile.uses_subgroups() { Capabilities::SUBGROUP } else { Capabilities::empty() };
            let has_half = precision.is_half() || tile.uses_matrices();
            let half = if has_half { Capabilities::SHADER_FLOAT16 } else { Capabilities::empty() };
            let matrices = if tile.uses_matrices() { Capabilities::COOPERATIVE_MATRIX } else { Capabilities::empty() };
            let module = parse_with(kernel.name, &wgsl, subgroup | half | matrices);
            let what = format!("{}, {}", kernel.name, tile.name);
            assert_eq!(module.entry_points[0].workgroup_size, [tile.threads(), 1, 1], "{what}");
            assert_eq!(["TILE_ROWS", "TILE_COLUMNS"].map(|name| constant(&module, name)), tile.size(), "{what}");
        }
    }
}

/// The value of a constant.
fn constant(module: &naga::Module, name: &str) -> u32 {
    let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name)).unwrap().1;
    match module.global_expressions[found.init] {
        naga::Expression::Literal(naga::Literal::U32(value)) => value,
        ref other => panic!("{name}: {other:?}"),
    }
}

fn scalar(module: &naga::Module, ty: naga::Handle<naga::Type>) -> ScalarKind {
    match module.types[ty].inner {
        TypeInner::Scalar(scalar) if scalar.width == 4 => scalar.kind,
        ref other => panic!("not a 32-bit scalar: {other:?}"),
    }
}

/// Names and kinds of the fields of a uniform struct. All fields are four bytes wide, without gaps.
fn fields(module: &naga::Module, ty: naga::Handle<naga::Type>) -> Vec<(String, ScalarKind)> {
    let TypeInner::Struct { members, .. } = &module.types[ty].inner else { panic!("not a struct") };
    let member = |(index, member): (usize, &naga::StructMember)| {
        assert_eq!(member.offset as usize, 4 * index);
        (member.name.clone().unwrap(), scalar(module, member.ty))
    };
    members.iter().enumerate().map(member).collect()
}

fn binding(module: &naga::Module, binding: u32) -> Option<&naga::GlobalVariable> {
    let at = naga::ResourceBinding { group: 0, binding };
    module.global_variables.iter().map(|(_, variable)| variable).find(|variable| variable.binding == Some(at))
}

#[test]
fn entry_points_and_workgroups_are_as_described() {
    for kernel in KERNELS {
        let module = parse(kernel);
        let [entry] = &module.entry_points[..] else { panic!("{} needs exactly one entry point", kernel.name) };
        assert_eq!((entry.name.as_str(), entry.stage), ("main", naga::ShaderStage::Compute), "{}", kernel.name);
        assert_eq!(entry.workgroup_size, kernel.workgroup, "{}", kernel.name);
        let overrides: Vec<&str> =
            module.overrides.iter().filter_map(|(_, constant)| constant.name.as_deref()).collect();
        assert_eq!(overrides, kernel.constants, "{}", kernel.name);
    }
}

#[test]
fn uniforms_have_the_described_layout() {
    for kernel in KERNELS {
        let module = parse(kernel);
        let params = binding(&module, 0).unwrap_or_else(|| panic!("{} has no launch parameters", kernel.name));
        assert_eq!((params.name.as_deref(), params.space), (Some("params"), AddressSpace::Uniform), "{}", kernel.name);
        let described: Vec<(String, ScalarKind)> = kernel
            .fields
            .iter()
            .map(|field| {
                let kind = if field.scalar == Scalar::U32 { ScalarKind::Uint } else { ScalarKind::Float };
                (field.name.to_string(), kind)
            })
            .collect();
        assert_eq!(fields(&module, params.ty), described, "{}", kernel.name);

        let step = binding(&module, 1);
        assert_eq!(step.is_some(), kernel.uses_step, "{}", kernel.name);
        if let Some(step) = step {
            let names: Vec<String> = fields(&module, step.ty).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, Step::FIELDS, "{}", kernel.name);
            assert_eq!(size_of::<Step>(), 4 * Step::FIELDS.len());
        }
    }
}

#[test]
fn slots_have_the_described_names_types_and_access() {
    for kernel in KERNELS {
        let module = parse(kernel);
        for (index, slot) in kernel.slots.iter().enumerate() {
            let variable =
                binding(&module, index as u32 + 2).unwrap_or_else(|| panic!("{}: {}", kernel.name, slot.name));
            let AddressSpace::Storage { access } = variable.space else { panic!("{}: {}", kernel.name, slot.name) };
            let described = match slot.access {
                Access::Read => StorageAccess::LOAD,
                Access::Write | Access::ReadWrite => StorageAccess::LOAD | StorageAccess::STORE,
            };
            assert_eq!((variable.name.as_deref(), access), (Some(slot.name), described), "{}", kernel.name);
            let TypeInner::Array { base, .. } = module.types[variable.ty].inner else { panic!("{}", kernel.name) };
            let kind = if slot.dtype == DType::F32 { ScalarKind::Float } else { ScalarKind::Uint };
            assert_eq!(scalar(&module, base), kind, "{}: {}", kernel.name, slot.name);
        }
        let storage = module.global_variables.iter().filter(|(_, v)| matches!(v.space, AddressSpace::Storage { .. }));
        assert_eq!(storage.count(), kernel.slots.len(), "{}", kernel.name);
    }
}

/// In half precision, exactly the slots declared with `or_half` hold f16.
#[test]
fn slots_in_half_precision_are_those_described() {
    for kernel in KERNELS.iter().filter(|kernel| kernel.takes_half()) {
        let wgsl = kernel.wgsl_in(None, Precision::F16);
        let module = parse_with(kernel.name, &wgsl, Capabilities::SHADER_FLOAT16);
        for (index, slot) in kernel.slots.iter().enumerate() {
            let variable = binding(&module, index as u32 + 2).unwrap();
            let TypeInner::Array { base, .. } = module.types[variable.ty].inner else { panic!("{}", kernel.name) };
            let TypeInner::Scalar(scalar) = module.types[base].inner else { panic!("{}", kernel.name) };
            assert_eq!(scalar.width, if slot.or_half { 2 } else { 4 }, "{}: {}", kernel.name, slot.name);
        }
    }
}

/// Every kernel has one shader, one Rust file and one entry in the list, with the same name and family.
#[test]
fn shaders_twins_and_the_list_are_the_same_set() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries =
        |folder: &Path| -> Vec<PathBuf> { fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect() };
    // `family/name` of the files directly in a family's folder. Code that kernels share lies in subfolders `shared`.
    let kernels = |folder: &str, extension: &str| -> BTreeSet<String> {
        let families = entries(&root.join(folder)).into_iter().filter(|path| path.is_dir());
        let is_family = |path: &PathBuf| FAMILIES.contains(&path.file_name().unwrap().to_str().unwrap());
        let files = families.filter(is_family).flat_map(|family| entries(&family));
        let files = files.filter(|path| path.extension().is_some_and(|found| found == extension));
        files
            .map(|path| {
                path.with_extension("").strip_prefix(root.join(folder)).unwrap().to_str().unwrap().replace('\\', "/")
            })
            .collect()
    };
    let shaders = kernels("shaders", "wgsl");
    assert_eq!(shaders, kernels("src/kernels", "rs"));
    let names = |path: &String| path.rsplit('/').next().unwrap().to_string();
    let listed: BTreeSet<String> = KERNELS.iter().map(|kernel| kernel.name.to_string()).collect();
    assert_eq!(listed.len(), KERNELS.len(), "two kernels have the same name");
    assert_eq!(shaders.iter().map(names).collect::<BTreeSet<_>>(), listed);
}
