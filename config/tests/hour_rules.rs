//! The rules about the hours (periods, holidays, set-back, boost, load shed), each told as a slip of the pen.

mod slips;

use slips::slip;

fn two_zones(from: &str, to: &str, key: &str, what: &str) {
    slip("two-zones", from, to, key, to.lines().last().unwrap_or_default(), what);
}

#[test]
fn periods_are_times_of_the_day() {
    let key = "circuit.low-zone.schedule.1";
    two_zones("from = \"23:00\"", "from = \"24:00\"", &format!("{key}.from"), "not a time of day");
    two_zones("to = \"05:00\"", "to = \"5\"", &format!("{key}.to"), "not a time of day");
    two_zones(
        "room_shift_kelvins = -1",
        "room_shift_kelvins = -20",
        &format!("{key}.room_shift_kelvins"),
        "from -10 to 5 K",
    );
    two_zones(
        "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
        "days = [\"mon\", \"thur\"]",
        "circuit.low-zone.schedule.1.days",
        "did you mean `thu`",
    );
    two_zones(
        "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
        "days = []",
        "circuit.low-zone.schedule.1.days",
        "names no day",
    );
}

#[test]
fn a_room_temperature_of_a_period_or_a_holiday_is_a_shift_or_a_target() {
    let key = "circuit.low-zone.schedule.1";
    let both = "room_shift_kelvins = -1\nroom_target_celsius = 17";
    two_zones("room_shift_kelvins = -1", both, &format!("{key}.room_target_celsius"), "a shift or a target");
    let cold = "room_target_celsius = 2";
    two_zones("room_shift_kelvins = -1", cold, &format!("{key}.room_target_celsius"), "from 5 to 28");
    let holiday = |keys: &str| format!("[[circuit.holiday]]\n{keys}\n[circuit.circulation]");
    let at = "circuit.low-zone.holiday.1";
    slip(
        "demo",
        "[circuit.circulation]",
        &holiday("first_day = 2027-02-05\nlast_day = 2027-02-13"),
        &format!("{at}.room_shift_kelvins"),
        "[[circuit.holiday]]",
        "room_shift_kelvins = -1.5",
    );
    slip(
        "demo",
        "[circuit.circulation]",
        &holiday("first_day = 2027-02-05\nlast_day = 2026-02-13\nroom_shift_kelvins = -3"),
        &format!("{at}.last_day"),
        "last_day = 2026-02-13",
        "from the first day",
    );
}

#[test]
fn a_day_is_like_one_other_day() {
    let day = "[[circuit.special_day]]\nday = 2026-12-26\nlike = \"mon\"\n";
    slip(
        "demo",
        "[circuit.circulation]",
        &format!("{day}{day}[circuit.circulation]"),
        "circuit.low-zone.special_day.2.day",
        "day = 2026-12-26",
        "is a special day already",
    );
}

#[test]
fn the_ways_down_and_up_have_the_keys_of_their_own_kind() {
    let slip = |keys: &str, key: &str, line: &str, what: &str| {
        let to = format!("{keys}\n[circuit.circulation]");
        slip("demo", "[circuit.circulation]", &to, key, line, what);
    };
    slip(
        "[circuit.set_back]\nfrost_celsius = -5",
        "circuit.low-zone.set_back.frost_celsius",
        "frost_celsius",
        "no meaning with this fall",
    );
    slip(
        "[circuit.boost]\nsupply_kelvins = 5\nexcess_ratio = 0.1",
        "circuit.low-zone.boost.excess_ratio",
        "excess_ratio",
        "beside supply_kelvins",
    );
    slip(
        "[circuit.load_shed]\nlasts_max_hours = 5\nper_day_max_hours = 4",
        "circuit.low-zone.load_shed.per_day_max_hours",
        "per_day_max_hours",
        "never granted",
    );
    slip("[circuit.curve]\nslope_ratio = 1.5", "circuit.low-zone.curve.slope_ratio", "slope_ratio", "from 0.4 to 1.3");
}

#[test]
fn a_holiday_is_not_so_cold_that_frost_protection_takes_over() {
    let holiday = "[[circuit.holiday]]\nfirst_day = 2027-02-05\nlast_day = 2027-02-13\nroom_target_celsius = 9\n[circuit.circulation]";
    let key = "circuit.low-zone.holiday.1.room_target_celsius";
    slip("demo", "[circuit.circulation]", holiday, key, "room_target_celsius = 9", "too cold for rooms");
}
