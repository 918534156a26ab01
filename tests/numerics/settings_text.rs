//! Text and tables, there and back.

use serde::{Deserialize, Serialize};

use gpunet::low_level::nn::loss::Loss;
use gpunet::low_level::nn::optim::{Adam, Optimizer};
use gpunet::low_level::run::early_stopping::EarlyStopping;
use gpunet::low_level::run::metric::Metric;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings::{parse, text};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
enum Tagged {
    OneKind { ratio: f64, count: Option<usize>, deep: Option<bool>, word: Option<String>, sizes: Option<Vec<usize>> },
    Other {},
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Plain {
    threads: Option<usize>,
    wrapped: Wrapped,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Wrapped(f64);

#[test]
fn text_means_the_table() {
    let read = parse::<Tagged>("one-kind:ratio=.5:count=3:deep=true:word=val-loss:sizes=[1, 2]").unwrap();
    let (count, deep, word, sizes) = (Some(3), Some(true), Some("val-loss".to_string()), Some(vec![1, 2]));
    assert_eq!(read, Tagged::OneKind { ratio: 0.5, count, deep, word, sizes });
    assert_eq!(parse("other"), Ok(Tagged::Other {}));
    let adam = Optimizer::Adam(Adam { learning_rate: 2.0, epsilon: 1e-5, ..Adam::default() });
    assert_eq!(parse("adam:learning_rate=2:epsilon=1e-5"), Ok(adam));
    let stopping = EarlyStopping { metric: Metric::ValAccuracy, patience: 4, min_delta: 0.0 };
    assert_eq!(parse("metric=val-accuracy:patience=4"), Ok(stopping));
    assert_eq!(parse("threads=3:wrapped=1"), Ok(Plain { threads: Some(3), wrapped: Wrapped(1.0) }));
}

#[test]
fn tables_are_told_as_they_are_read() {
    let (count, word) = (None, Some("val-loss".to_string()));
    let settings = Tagged::OneKind { ratio: 0.5, count, deep: Some(true), word, sizes: Some(vec![1, 2]) };
    assert_eq!(text(&settings), "one-kind:deep=true:ratio=0.5:sizes=[1, 2]:word=val-loss");
    assert_eq!(text(&Tagged::Other {}), "other");
    for optimizer in Optimizer::all() {
        assert_eq!(parse(&text(&optimizer)), Ok(optimizer));
    }
    for loss in Loss::ALL {
        assert_eq!(parse(&text(&loss)), Ok(loss));
    }
    for name in Schedule::NAMES {
        let schedule = Schedule::named(name).unwrap();
        assert_eq!(parse(&text(&schedule)), Ok(schedule));
    }
    assert_eq!(text(&EarlyStopping::default()), "metric=val-loss:min_delta=0.0:patience=5");
}

#[test]
fn mistakes_are_answered_with_sentences() {
    let says = |text: &str| parse::<Tagged>(text).unwrap_err().to_string();
    assert_eq!(says("one-kin"), "there is no `one-kin`; did you mean `one-kind`?");
    assert_eq!(says("cosine"), "there is no `cosine`; choose from one-kind, other");
    assert_eq!(says("one-kind:r=2"), "there is no setting `r`; did you mean `ratio`?");
    assert_eq!(says("one-kind:ratoi=2"), "there is no setting `ratoi`; did you mean `ratio`?");
    assert_eq!(says("one-kind:x=2"), "there is no setting `x`; choose from ratio, count, deep, word, sizes");
    assert_eq!(says("other:x=2"), "there is no setting `x`; there is nothing to set");
    assert_eq!(says("one-kind:deep=true"), "the setting `ratio` is missing");
    assert_eq!(says("one-kind:ratio=0.5:count=2.5"), "`count` is 2.5; it must be a whole number, 0 or more");
    assert_eq!(says("one-kind:count=-1:ratio=0.5"), "`count` is -1; it must be a whole number, 0 or more");
    assert_eq!(says("one-kind:ratio=half"), "`ratio` is \"half\"; it must be a number");
    assert_eq!(says("one-kind:ratio=1:deep=1"), "`deep` is 1; it must be true or false");
    assert_eq!(says("one-kind:ratio=1:ratio=2"), "`ratio` is set twice");
    assert_eq!(says("one-kind:name=other"), "`name` is set twice");
    assert_eq!(says("one-kind:ratio"), "`ratio` sets nothing: write settings as key=value, with colons between them");
    assert_eq!(says("ratio=1"), "the setting `name` is missing");
    assert_eq!(says(""), "there is no ``; choose from one-kind, other");

    let says = |text: &str| parse::<EarlyStopping>(text).unwrap_err().to_string();
    assert_eq!(says("patiense=4"), "there is no setting `patiense`; did you mean `patience`?");
    assert_eq!(says("patience=4:min_delta=x"), "`min_delta` is \"x\"; it must be a number");
    assert_eq!(says("metric=val-los"), "there is no `val-los`; did you mean `val-loss`?");
    assert_eq!(says("metric=3"), "`metric` is 3; it must be a word");
}
