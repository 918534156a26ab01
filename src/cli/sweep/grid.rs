//! The notation of grids: `lr=0.1,0.01;batch=50,100` is four combinations. Brackets hold a value with commas together.

use anyhow::bail;

/// The most combinations of a grid, and the most runs of a sweep.
pub(super) const MOST: usize = 10_000;

/// Options of `gpunet train` that say where a run is stored or what is done with it, and change no setting.
const PLACES: [&str; 5] = ["recipe", "resume", "out", "force", "overfit"];

/// A long option of `gpunet train` without its dashes, and its value where it takes one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Option<String>,
}

impl Setting {
    pub(super) fn seed(seed: u64) -> Setting {
        Setting { key: "seed".to_string(), value: Some(seed.to_string()) }
    }

    /// The word on the command line.
    pub(super) fn word(&self) -> String {
        match &self.value {
            Some(value) => format!("--{}={value}", self.key),
            None => format!("--{}", self.key),
        }
    }
}

/// Every combination of the settings of a grid; the last key changes fastest.
pub(super) fn parse(grid: &str) -> anyhow::Result<Vec<Vec<Setting>>> {
    let mut combinations = vec![Vec::new()];
    for part in grid.split(';') {
        let values = parse_key(part.trim(), grid)?;
        if combinations.len().saturating_mul(values.len()) > MOST {
            bail!("--grid `{grid}` has more than {MOST} combinations; sweep fewer values at once");
        }
        let with = |settings: &Vec<Setting>| {
            values.iter().map(|value| settings.iter().chain([value]).cloned().collect()).collect::<Vec<Vec<Setting>>>()
        };
        combinations = combinations.iter().flat_map(with).collect();
    }
    Ok(combinations)
}

/// The settings that a key is given: one for every value.
fn parse_key(part: &str, grid: &str) -> anyhow::Result<Vec<Setting>> {
    let example = "write settings of `gpunet train` like lr=0.1,0.01;batch=50,100";
    let (key, values) = part.split_once('=').map_or((part, None), |(key, values)| (key.trim(), Some(values)));
    let is_option = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if key.is_empty() && values.is_none() {
        bail!("--grid `{grid}` has an empty part; {example}");
    }
    if key.is_empty() || key.starts_with('-') || !key.chars().all(is_option) {
        bail!("--grid: `{key}` in `{part}` is no option; {example}");
    }
    if PLACES.contains(&key) {
        bail!("--grid: `{key}` cannot be swept: all combinations have the same recipe, and each has its own folder");
    }
    let Some(values) = values else { return Ok(vec![Setting { key: key.to_string(), value: None }]) };
    let setting = |value: &str| match value {
        "" => bail!("--grid: `{part}` lacks a value; {example}"),
        value => Ok(Setting { key: key.to_string(), value: Some(value.to_string()) }),
    };
    split_values(values).map(setting).collect()
}

/// Splits at commas, but not at those within brackets: `[1,2],[2,1]` is two values, `1,2` and `2,1`.
fn split_values(values: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let at_comma = move |c: char| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth <= 0
    };
    values.split(at_comma).map(str::trim).map(without_brackets)
}

fn without_brackets(value: &str) -> &str {
    value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value)
}

/// Name of a combination: its settings, in characters that every platform allows in the name of a folder.
pub(super) fn name(settings: &[Setting]) -> String {
    let text = |setting: &Setting| match &setting.value {
        Some(value) => format!("{}={}", setting.key, escaped(value)),
        None => setting.key.clone(),
    };
    settings.iter().map(text).collect::<Vec<_>>().join(",")
}

/// A value with `~` for colons, which Windows forbids in names, `+` for commas, and other characters escaped as in URLs. Different
/// values have different names.
fn escaped(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b':' => "~".to_string(),
        b',' => "+".to_string(),
        byte if byte.is_ascii_alphanumeric() || b"._-=".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(grid: &str) -> Vec<String> {
        parse(grid).unwrap().iter().map(|settings| name(settings)).collect()
    }

    #[test]
    fn grids_are_all_combinations_in_order() {
        let four = ["lr=0.1,batch=50", "lr=0.1,batch=100", "lr=0.01,batch=50", "lr=0.01,batch=100"];
        assert_eq!(names("lr=0.1,0.01;batch=50,100"), four);
        assert_eq!(names(" adam ; lr = 0.1 , 1e-3 "), ["adam,lr=0.1", "adam,lr=1e-3"]);
        assert_eq!(names("data=../a b,a%2Fb,~"), ["data=..%2Fa%20b", "data=a%252Fb", "data=%7E"]);
        assert_eq!(
            names("optimizer=momentum:average=true,adam"),
            ["optimizer=momentum~average=true", "optimizer=adam"]
        );
        assert_eq!(names("class-weights=[1,2,0.5],balanced"), ["class-weights=1+2+0.5", "class-weights=balanced"]);
        let words: Vec<String> = parse("adam;lr=-1").unwrap()[0].iter().map(Setting::word).collect();
        assert_eq!(words, ["--adam", "--lr=-1"]);
    }

    #[test]
    fn what_is_no_grid_is_refused() {
        for (grid, says) in [
            ("", "empty part"),
            ("lr=0.1;", "empty part"),
            ("lr=", "lacks a value"),
            ("lr=0.1,,1", "lacks a value"),
            ("=1", "no option"),
            ("--lr=1", "no option"),
            ("lr 0.1", "no option"),
            ("out=a", "cannot be swept"),
        ] {
            let error = parse(grid).unwrap_err().to_string();
            assert!(error.contains(says), "{grid}: {error}");
        }
        let values = (0..101).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        assert!(parse(&format!("a={values};b={values}")).unwrap_err().to_string().contains("more than 10000"));
    }
}
