//! Weights of classes, for data in which some are rare.

use serde::{Deserialize, Serialize};

use crate::settings::SettingError;

/// The setting's path in a recipe.
const KEY: &str = "class_weights";

/// How much the examples of each class weigh: their losses and gradients are multiplied by it.
///
/// The mean stays one over the number of examples, as in Keras; PyTorch's divides by the sum of the examples' weights instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "class weights are \"balanced\" or a list of numbers")]
pub enum ClassWeights {
    /// Each class as much as any other: `examples / (classes * examples of the class)`, scikit-learn's rule; 0 for a class
    /// without examples.
    Balanced,
    /// A weight for each class, in their order.
    #[serde(untagged)]
    Listed(Vec<f64>),
}

impl ClassWeights {
    /// Checks what can be judged without the data.
    ///
    /// # Errors
    /// A weight that is negative or not finite, or none above 0.
    pub fn check(&self) -> Result<(), SettingError> {
        let ClassWeights::Listed(weights) = self else { return Ok(()) };
        let sound = weights.iter().all(|&weight| weight >= 0.0 && (weight as f32).is_finite());
        let some = weights.iter().any(|&weight| weight as f32 > 0.0);
        let must = "weights are finite and not negative, and one at least is above 0";
        SettingError::unless(sound && some, KEY, format!("{weights:?}"), must)
    }

    /// The weights of classes that have so many training examples each, `[classes]`.
    ///
    /// # Errors
    /// Another number of weights than of classes.
    pub fn resolve(&self, counts: &[usize]) -> Result<Vec<f32>, SettingError> {
        match self {
            ClassWeights::Balanced => {
                let examples: usize = counts.iter().sum();
                let weight = |&count: &usize| match count {
                    0 => 0.0,
                    _ => (examples as f64 / (counts.len() as f64 * count as f64)) as f32,
                };
                Ok(counts.iter().map(weight).collect())
            }
            ClassWeights::Listed(weights) => {
                let must = format!("the data has {} classes, and each takes one weight", counts.len());
                SettingError::unless(weights.len() == counts.len(), KEY, format!("{weights:?}"), must)?;
                Ok(weights.iter().map(|&weight| weight as f32).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Recipe {
        class_weights: ClassWeights,
    }

    #[test]
    fn recipes_say_balanced_or_list_them() {
        for (text, class_weights) in [
            ("class_weights = \"balanced\"", ClassWeights::Balanced),
            ("class_weights = [1, 0.5, 0]", ClassWeights::Listed(vec![1.0, 0.5, 0.0])),
        ] {
            let recipe = Recipe { class_weights };
            assert_eq!(toml::from_str::<Recipe>(text).unwrap(), recipe);
            assert_eq!(toml::from_str::<Recipe>(&toml::to_string(&recipe).unwrap()).unwrap(), recipe);
        }
        let error = toml::from_str::<Recipe>("class_weights = \"even\"").unwrap_err().to_string();
        assert!(error.contains("class weights are \"balanced\" or a list of numbers"), "{error}");
    }

    /// `sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 1, 1, 1, 2, 2])`
    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        assert_eq!(ClassWeights::Balanced.resolve(&[1, 3, 2]).unwrap(), [2.0, 6.0f32 / 9.0, 1.0]);
        assert_eq!(ClassWeights::Balanced.resolve(&[4, 0]).unwrap(), [0.5, 0.0]);
    }

    #[test]
    fn senseless_weights_are_refused() {
        for weights in [vec![], vec![0.0, 0.0], vec![1.0, -1.0], vec![1.0, f64::NAN], vec![1.0, 1e39], vec![1e-50]] {
            let error = ClassWeights::Listed(weights.clone()).check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`class_weights` is {weights:?}; ")), "{error}");
        }
        assert!(ClassWeights::Listed(vec![0.0, 1.0]).check().is_ok() && ClassWeights::Balanced.check().is_ok());
        let error = ClassWeights::Listed(vec![1.0, 2.0]).resolve(&[5, 5, 5]).unwrap_err().to_string();
        assert_eq!(error, "`class_weights` is [1.0, 2.0]; the data has 3 classes, and each takes one weight");
    }
}
