//! Tables.

/// Lines of a table whose first row is the header. A group is a title above the header and the number of columns under it, which are
/// closer to each other than to other groups. The first column is aligned left, all others right.
pub(super) fn table(groups: &[(&str, usize)], rows: &[Vec<String>]) -> Vec<String> {
    let mut lines = vec![String::new(); rows.len() + 1];
    let mut first = 0;
    for &(title, count) in groups {
        let cells = |row: &Vec<String>| row[first..first + count].to_vec();
        let length = |text: &String| text.chars().count();
        let widths: Vec<usize> =
            (0..count).map(|i| rows.iter().map(|row| length(&cells(row)[i])).max().unwrap_or(0)).collect();
        let width = (widths.iter().sum::<usize>() + count - 1).max(title.chars().count());
        let gap = if first == 0 { "" } else { "  " };
        lines[0] += &format!("{gap}{title:<width$}");
        for (line, row) in lines[1..].iter_mut().zip(rows) {
            let block: Vec<String> = cells(row).iter().zip(&widths).map(|(cell, &w)| format!("{cell:>w$}")).collect();
            *line +=
                &if first == 0 { format!("{:<width$}", row[0]) } else { format!("{gap}{:>width$}", block.join(" ")) };
        }
        first += count;
    }
    let untitled = usize::from(lines[0].trim().is_empty());
    lines[untitled..].iter().map(|line| line.trim_end().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
        let rows = [row(["run", "best", "final", "n"]), row(["lr=0.1", "98.40", "9", "12"]), row(["é", "-", "-", "-"])];
        let expected =
            ["        accuracy", "run      best final   n", "lr=0.1  98.40     9  12", "é           -     -   -"];
        assert_eq!(table(&[("", 1), ("accuracy", 2), ("", 1)], &rows), expected);
        assert_eq!(table(&[("", 1), ("", 1), ("", 1), ("", 1)], &rows)[0], "run      best  final   n");
    }
}
