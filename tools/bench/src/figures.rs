//! Figures: medians, and how they are shown.

use crate::work::Quantity;

/// Median, least and greatest.
pub(crate) type Spread = (f64, f64, f64);

/// The spread of some figures; of none there is none.
pub(crate) fn spread(mut figures: Vec<f64>) -> Option<Spread> {
    figures.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*figures.first()?, *figures.last()?);
    let middle = figures.len() / 2;
    let median = if figures.len() % 2 == 1 {
        figures[middle]
    } else {
        (figures[middle - 1] + figures[middle]) / 2.0
    };
    Some((median, least, most))
}

/// A quantity with its unit, where the row's name does not have it.
pub(crate) fn with_unit(quantity: Quantity, figure: f64) -> String {
    match quantity {
        Quantity::Cpu => format!("{} µs", rounded(figure * 1e6)),
        Quantity::Time => format!("{} ms", rounded(figure / 1e6)),
        Quantity::Open => format!("{} ms", rounded(figure / 1e3)),
        Quantity::Rate => format!("{}/s", rounded(figure)),
        Quantity::Bulk => format!("{} MB/s", rounded(figure / 1e6)),
        _ => rounded(figure),
    }
}

/// Three digits that say something.
pub(crate) fn rounded(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_median_least_and_greatest() {
        assert_eq!(spread(vec![]), None);
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), Some((2.0, 1.0, 3.0)));
        assert_eq!(spread(vec![4.0, 1.0]), Some((2.5, 1.0, 4.0)));
    }

    #[test]
    fn figures_have_three_digits() {
        let figures = [0.0, 0.000_012_34, 0.123_4, 1.234, 12.34, 1234.5].map(rounded);
        assert_eq!(figures, ["0", "1.2e-5", "0.12", "1.23", "12.3", "1234"]);
    }

    #[test]
    fn quantities_of_native_have_their_unit() {
        assert_eq!(with_unit(Quantity::Cpu, 0.000_012), "12.0 µs");
        assert_eq!(with_unit(Quantity::Time, 2e6), "2.00 ms");
        assert_eq!(with_unit(Quantity::Percent, 0.5), "0.50");
    }
}
