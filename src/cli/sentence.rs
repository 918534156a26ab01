//! Errors as the command line prints them: with the options that set the settings, and advice on what to do.

use gpunet::low_level::backend::DeviceError;
use gpunet::low_level::data::DataError;
use gpunet::low_level::error::Error;
use gpunet::low_level::nn::model::RecordError;
use gpunet::low_level::settings::SettingError;
use gpunet::low_level::store::StoreError;

use super::{lr_find, options};

/// The option that sets the setting at `path`, or the path itself where there is none.
fn option_of(path: &str) -> String {
    let option = options::at(path).map(|setting| setting.option).or_else(|| lr_find::option_of(path));
    option.map_or(format!("`{path}`"), |option| format!("--{option}"))
}

/// An error as one sentence: what is wrong, and which option may help.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    if let Some(setting) = setting_of(error) {
        return match setting {
            SettingError::Setting { key, value, must } => format!("{} is {value}; {must}", option_of(key)),
            SettingError::Contradiction { keys, why } => {
                format!("{} and {} contradict each other: {why}", option_of(keys[0]), option_of(keys[1]))
            }
            _ => setting.to_string(),
        };
    }
    match advice(error) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

/// The setting at fault, if there is one.
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
        Some(Error::WrongResult { .. }) => Some("`gpunet doctor` finds the kernel"),
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
        DeviceError::NoHalf { .. } => "use another adapter, `--device cpu`, or --precision f32 for a new run",
        DeviceError::Limit { .. } | DeviceError::OutOfMemory { .. } => {
            "use a smaller --arch or --batch, another adapter, or `--device cpu`"
        }
        DeviceError::HostMemory { .. } => "use a smaller --arch or --batch",
        DeviceError::Threads { .. } => "try --threads 1",
        DeviceError::Shader { .. } => "please report this with what `gpunet doctor --json` prints",
        DeviceError::NoTimestamps { .. } => "--profile and --tune need them; use another adapter or `--device cpu`",
        DeviceError::Fault { .. } => "`gpunet doctor` checks the device",
        _ => return None,
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
        StoreError::BadRecord { .. } => "leave this run out, or write the file again with `--resume`",
        _ => return None,
    })
}
