//! A season's figures as a table for people.

use crate::simulation::Figures;

/// The figures, one a line, with units.
pub fn table(figures: &Figures, wall_seconds: f64) -> String {
    let rows: [(&str, String); 23] = [
        ("days", format!("{:.1}", figures.days)),
        ("outdoor mean", format!("{:.1} °C", figures.outdoor_mean_celsius)),
        ("heat", format!("{:.0} GJ", figures.heat_gigajoules)),
        ("heat per area", format!("{:.4} GJ/m²", figures.heat_gigajoules_per_square_meter)),
        ("electricity", format!("{:.0} kWh", figures.electricity_kilowatt_hours)),
        ("make-up water", format!("{:.1} m³", figures.make_up_cubic_meters)),
        ("make-up per area", format!("{:.2} kg/m²", figures.make_up_kilograms_per_square_meter)),
        ("room pass share", shown(figures.room_pass_ratio, |r| format!("{:.2} % of area × time", r * 100.0))),
        (
            "rooms passing",
            shown(figures.rooms_passing_ratio, |r| format!("{:.1} % of heated flats (≥ 98 % of the time)", r * 100.0)),
        ),
        ("below the limit", shown(figures.kelvin_hours_below, |k| format!("{k:.1} K·h per flat"))),
        ("room mean", shown(figures.room_mean_celsius, |t| format!("{t:.2} °C"))),
        ("flats scatter", shown(figures.room_scatter_kelvins, |k| format!("{k:.2} K"))),
        ("supply RMSE", shown(figures.supply_rmse_kelvins, |k| format!("{k:.2} K"))),
        ("supply p95", shown(figures.supply_p95_kelvins, |k| format!("{k:.2} K"))),
        ("valve strokes", format!("{:.2} a day", figures.valve_strokes_per_day)),
        ("valve reversals", format!("{:.1} an hour (worst circuit)", figures.valve_reversals_per_hour)),
        ("hunting", format!("{} times", figures.hunting_events)),
        ("primary return", format!("{:.1} °C (heat-weighted)", figures.primary_return_celsius)),
        (
            "peak hour",
            format!("{:.0} kW, {:.1} W/m²", figures.peak_hour_kilowatts, figures.peak_hour_watts_per_square_meter),
        ),
        ("outages", figures.outages.to_string()),
        ("accident rate", format!("{} ‰", figures.accident_rate_per_mille)),
        ("alarms raised", figures.alarms_raised.to_string()),
        ("wall time", format!("{wall_seconds:.1} s")),
    ];
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:20} {value}")).collect();
    lines.join("\n") + "\n"
}

/// A run of two days or less says nothing about rooms.
fn shown(figure: Option<f64>, words: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| "none (rooms are judged from the third day on)".to_owned(), words)
}
