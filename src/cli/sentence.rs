//! Errors as the command line says them: settings by their options, and which option may help.

use gpunet::low_level::backend::DeviceError;
use gpunet::low_level::data::DataError;
use gpunet::low_level::error::Error;
use gpunet::low_level::nn::model::RecordError;
use gpunet::low_level::settings::SettingError;
use gpunet::low_level::store::StoreError;

/// Options by the path of the setting that they set, where the option does not have the setting's own name.
const FLAGS: [(&str, &str); 14] = [
    ("optimizer.learning_rate", "--lr"),
    ("schedule.warmup", "--warmup"),
    ("loss.label_smoothing", "--label-smoothing"),
    ("class_weights", "--class-weights"),
    ("regularization.l1", "--l1"),
    ("regularization.l2", "--l2"),
    ("regularization.weight_decay", "--weight-decay"),
    ("regularization.max_norm", "--max-norm"),
    ("clipping.norm", "--clip-norm"),
    ("clipping.value", "--clip-value"),
    ("early_stopping", "--early-stopping"),
    ("optimizer", "--optimizer"),
    ("schedule", "--schedule"),
    ("loss", "--loss"),
];

/// Settings whose option has their own name.
const SAME: [&str; 16] = [
    "arch",
    "from",
    "to",
    "updates",
    "activation",
    "dropout",
    "init",
    "batch",
    "accumulate",
    "epochs",
    "threads",
    "subset",
    "validation",
    "test",
    "pool",
    "normalization",
];

/// The option that sets the setting at `path`, or the path itself where there is none.
fn option_of(path: &str) -> String {
    if SAME.contains(&path) {
        return format!("--{path}");
    }
    FLAGS.iter().find(|(key, _)| *key == path).map_or(format!("`{path}`"), |(_, flag)| (*flag).to_string())
}

/// An error as one sentence: what is wrong and, where an option may help, which one.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    if let Some(setting) = setting_of(error) {
        return match setting {
            SettingError::Setting { key, value, must } => format!("{} is {value}; {must}", option_of(key)),
            SettingError::Contradiction { keys, why } => {
                format!("{} and {} contradict each other: {why}", option_of(keys[0]), option_of(keys[1]))
            }
            SettingError::TooLarge { .. } => setting.to_string(),
        };
    }
    match advice(error) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

/// The setting that is at fault, where one is.
fn setting_of(error: &anyhow::Error) -> Option<&SettingError> {
    match error.downcast_ref::<Error>() {
        Some(Error::Setting(setting) | Error::Record(RecordError::Setting(setting))) => Some(setting),
        _ => error.downcast_ref::<SettingError>(),
    }
}

/// What a user of the command line can do about an error.
fn advice(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<Error>() {
        Some(Error::Device(error)) => of_device(error),
        Some(Error::Data(error)) => of_data(error),
        Some(Error::Store(error)) => of_store(error),
        Some(Error::Diverged { .. } | Error::ParameterDiverged { .. } | Error::ValidationDiverged { .. }) => {
            Some("try a smaller --lr")
        }
        Some(Error::OtherData { .. }) => Some("name the right one with --data"),
        Some(Error::WrongResult { .. }) => Some("`gpunet doctor` tells which kernel it is"),
        Some(_) => None,
        None => (error.downcast_ref::<DeviceError>().and_then(of_device))
            .or_else(|| error.downcast_ref::<DataError>().and_then(of_data))
            .or_else(|| error.downcast_ref::<StoreError>().and_then(of_store)),
    }
}

fn of_device(error: &DeviceError) -> Option<&'static str> {
    Some(match error {
        DeviceError::NoAdapter => "`--device cpu` works everywhere",
        DeviceError::Unknown { .. } => "`gpunet doctor --list` lists the adapters, for --device",
        DeviceError::Refused { .. } => "`gpunet doctor --list` lists the adapters, and `--device cpu` works everywhere",
        DeviceError::NoHalf { .. } => "use `--device cpu`, or --precision f32 for a new run",
        DeviceError::Limit { .. } | DeviceError::OutOfMemory { .. } => {
            "use a smaller --arch or --batch, or `--device cpu`"
        }
        DeviceError::HostMemory { .. } => "use a smaller --arch or --batch",
        DeviceError::Threads { .. } => "try --threads 1",
        DeviceError::Shader { .. } => "please report this with what `gpunet doctor --json` prints",
        DeviceError::NoTimestamps { .. } => "--profile and --tune need them; use `--device cpu`",
        DeviceError::Fault { .. } => "`gpunet doctor` checks the device",
        DeviceError::Plan(_) => return None,
    })
}

fn of_data(error: &DataError) -> Option<&'static str> {
    Some(match error {
        DataError::MissingDirectory { .. } | DataError::Model { .. } => "name another data set with --data",
        DataError::Validation { .. } => "choose another --validation",
        DataError::Test { .. } => "choose another --test",
        DataError::Subset { .. } => "choose another --subset",
        _ => return None,
    })
}

fn of_store(error: &StoreError) -> Option<&'static str> {
    Some(match error {
        StoreError::HoldsRun { .. } => "choose another --out, or replace the run with --force",
        StoreError::NotAFolder { .. } => "--out takes a folder",
        StoreError::BadRecord { .. } => "leave this run out, or `--resume` it to have the file made anew",
        _ => return None,
    })
}
