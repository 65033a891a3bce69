use heatstation_points::Reading;

use super::*;
use crate::moment::Day;
use crate::settings::RoomSettings;
use crate::step::tests::circuit;

const MINUTE: Duration = Duration::from_secs(60);

/// Rooms in virtual time: minutes since a midnight, each room with a temperature that a story may change.
struct House {
    settings: CircuitSettings,
    sensors: RoomSensors,
    rooms: Vec<Option<f64>>,
    outdoor: f64,
    minutes: u32,
    seen: RoomStatistic,
    events: Vec<Event>,
}

impl House {
    /// Rooms around 21 °C that move a little, each in its own way, at −5 °C outdoors.
    fn of(count: usize) -> House {
        let name = |number| RoomSettings { name: format!("r{number}"), minimum: Celsius(18.0), building: None };
        let settings = CircuitSettings { rooms: (0..count).map(name).collect(), ..circuit() };
        let rooms = (0..count).map(|number| Some(21.0 + 0.3 * (number as f64 - 0.5 * count as f64))).collect();
        let (sensors, seen) = (RoomSensors::default(), RoomStatistic::default());
        House { settings, sensors, rooms, outdoor: -5.0, minutes: 0, seen, events: Vec::new() }
    }

    /// Lets minutes pass; sensors report in tenths.
    fn minutes(&mut self, count: u32) -> &mut House {
        for _ in 0..count {
            let wave = 0.2 * (f64::from(self.minutes) / 240.0 * std::f64::consts::TAU).sin();
            let reading = |temperature: &Option<f64>| {
                let temperature = temperature.map(|t| Celsius(((t + wave) * 10.0).round() / 10.0));
                let temperature = temperature.map_or(Reading::bad(heatstation_points::Fault::Silent), Reading::good);
                RoomReadings { temperature, ..RoomReadings::default() }
            };
            let readings: Vec<RoomReadings> = self.rooms.iter().map(reading).collect();
            let minute_of_day = (self.minutes % 1440) as u16;
            let look = Look {
                settings: &self.settings,
                readings: &readings,
                outdoor: Celsius(self.outdoor),
                local: LocalTime::on(Day(4), minute_of_day),
                heating: Switch::On,
                dt: MINUTE,
            };
            self.seen = self.sensors.look(&look);
            self.sensors.tell(CircuitIndex(0), MINUTE, &mut self.events);
            self.minutes += 1;
        }
        self
    }

    fn hours(&mut self, count: u32) -> &mut House {
        self.minutes(60 * count)
    }

    fn set(&mut self, room: usize, temperature: f64) -> &mut House {
        self.rooms[room] = Some(temperature);
        self
    }

    fn verdict(&self, room: usize) -> Verdict {
        self.sensors.verdicts().as_slice()[room]
    }

    fn tail(&self) -> f64 {
        self.seen.tail.unwrap().excess.0
    }
}

#[test]
fn rooms_that_live_all_count() {
    let mut house = House::of(8);
    house.hours(72);
    assert_eq!((house.seen.counted, house.seen.expected), (8, 8));
    assert!(house.events.is_empty(), "{:?}", house.events);
}

#[test]
fn a_sensor_that_is_lost_counts_for_two_intervals_and_is_held_at_its_place_for_two_days() {
    let mut house = House::of(8);
    house.set(0, 19.0).hours(48);
    let before = house.tail();
    house.rooms[0] = None;
    house.minutes(30);
    assert_eq!(house.verdict(0), Verdict::Counted, "two intervals are not over");
    house.minutes(10);
    assert_eq!((house.verdict(0), house.seen.counted, house.seen.held), (Verdict::Silent, 7, 1));
    // The coldest room's battery does not make the station warmer.
    house.minutes(24 * 60 - 40);
    assert!((house.tail() - before).abs() < 0.15, "{before} then {}", house.tail());
    assert_eq!(house.seen.held, 0, "it is missing all the same");
    house.hours(48);
    assert!(house.tail() > before + 0.15, "{before} then {}", house.tail());
}

#[test]
fn a_sensor_in_the_snow_or_on_a_radiator_is_out_of_range() {
    let mut house = House::of(8);
    house.set(0, 3.0).set(1, 41.0).minutes(5);
    assert_eq!((house.verdict(0), house.verdict(1)), (Verdict::OutOfRange, Verdict::OutOfRange));
    assert_eq!(house.seen.fresh, 6);
}

#[test]
fn a_value_that_stands_for_a_day_while_the_others_move_is_stuck_and_told() {
    let mut house = House::of(6);
    for _ in 0..26 * 60 {
        // Against the wave that moves them all.
        let wave = 0.2 * (f64::from(house.minutes) / 240.0 * std::f64::consts::TAU).sin();
        house.set(2, 20.7 - wave);
        for room in [0, 1, 3, 4, 5] {
            house.set(room, 21.0 - f64::from(house.minutes) / 2000.0);
        }
        house.minutes(1);
    }
    assert_eq!(house.verdict(2), Verdict::Stuck);
    house.set(2, 20.4).hours(2);
    assert_eq!(house.verdict(2), Verdict::Counted);
    let told: Vec<_> = house.events.iter().map(Event::kind).collect();
    assert_eq!(told, ["room_sensor_judged", "room_sensor_judged"]);
}

#[test]
fn a_coarse_scale_in_still_weather_is_not_stuck() {
    let mut house = House::of(6);
    for _ in 0..30 * 60 {
        let wave = 0.2 * (f64::from(house.minutes) / 240.0 * std::f64::consts::TAU).sin();
        for room in 0..6 {
            house.set(room, 20.5 + 0.5 * room as f64 - wave);
        }
        house.minutes(1);
    }
    assert_eq!(house.seen.counted, 6);
}

#[test]
fn an_open_window_is_masked_until_an_hour_after_the_room_is_warm_again() {
    let mut house = House::of(8);
    house.hours(30);
    let before = house.tail();
    for minute in 0..30 {
        house.set(3, 20.7 - 0.08 * f64::from(minute)).minutes(1);
    }
    assert_eq!(house.verdict(3), Verdict::Window);
    house.hours(1);
    assert!((house.tail() - before).abs() < 0.3, "it is held at its place: {before} then {}", house.tail());
    house.set(3, 20.7).minutes(50);
    assert_eq!(house.verdict(3), Verdict::Window, "warm for less than an hour");
    house.minutes(20);
    assert_eq!(house.verdict(3), Verdict::Counted);
    assert!(house.events.is_empty(), "nobody is sent for a window: {:?}", house.events);
}

#[test]
fn a_room_that_stays_cold_counts_after_six_hours() {
    let mut house = House::of(8);
    house.hours(30).set(3, 17.0).minutes(1);
    assert_eq!(house.verdict(3), Verdict::Window);
    house.hours(6);
    assert_eq!(house.verdict(3), Verdict::Counted, "what is cold for six hours is a cold room");
    assert_eq!(house.seen.coldest.map(|coldest| coldest.0.round()), Some(17.0));
}

#[test]
fn rooms_that_fall_together_are_the_plants_fault_and_all_count() {
    let mut house = House::of(8);
    house.hours(30);
    for _ in 0..40 {
        for room in 0..8 {
            let lower = house.rooms[room].unwrap() - 0.05;
            house.set(room, lower);
        }
        house.minutes(1);
    }
    assert_eq!(house.seen.counted, 8);
}

#[test]
fn a_jump_upwards_is_a_spike_until_it_has_lasted() {
    let mut house = House::of(8);
    house.hours(30).set(2, 25.0).minutes(1);
    assert_eq!(house.verdict(2), Verdict::Spike);
    house.set(2, 20.4).minutes(16);
    assert_eq!(house.verdict(2), Verdict::Counted);
    house.set(2, 24.0).hours(4);
    assert_eq!(house.verdict(2), Verdict::Counted, "a level that stays is believed after half of the window");
}

#[test]
fn a_flat_without_heat_is_excluded_after_a_day_and_told() {
    let mut house = House::of(9);
    house.set(4, 11.0).hours(12);
    assert_eq!(house.verdict(4), Verdict::Closed, "ten kelvins below is beyond doubt after six hours");
    assert_eq!(house.seen.expected, 8);
    assert!(matches!(house.events[..], [Event::RoomSensorJudged { room: RoomIndex(4), verdict: Verdict::Closed, .. }]));
    // Somebody moves in.
    house.set(4, 20.0).hours(72);
    assert_eq!(house.verdict(4), Verdict::Counted);
}

#[test]
fn a_flat_that_gets_too_little_is_cold_and_not_closed() {
    let mut house = House::of(9);
    // 4 K below, yet still 84 % of the others' excess: its radiators give heat.
    house.set(4, 17.0).hours(72);
    assert_eq!(house.verdict(4), Verdict::Misplaced, "the kelvin beyond what flats differ is on its own account");
    // In colder weather the same flat falls further behind, and is not taken for an empty one.
    house.outdoor = -20.0;
    house.set(4, 15.5).hours(72);
    assert!(house.verdict(4).counts(), "{:?}", house.verdict(4));
}

#[test]
fn no_more_than_a_third_is_left_out_for_reading_cold() {
    let mut house = House::of(9);
    for (room, temperature) in [(0, 9.0), (1, 10.0), (2, 11.0), (3, 12.0), (4, 13.0)] {
        house.set(room, temperature);
    }
    house.hours(48);
    let counted: Vec<bool> = (0..9).map(|room| house.verdict(room).counts()).collect();
    assert!(counted.iter().filter(|counts| !**counts).count() <= 3, "{counted:?}");
    assert!(house.tail() < -2.0, "a station with five cold rooms of nine is cold: {}", house.tail());
}

#[test]
fn what_a_sensor_says_beyond_what_flats_differ_is_corrected_by_no_more_than_allowed() {
    let mut house = House::of(9);
    house.hours(48);
    let before = house.tail();
    house.set(0, 27.0).hours(96);
    assert_eq!(house.verdict(0), Verdict::Misplaced);
    assert!((house.tail() - before).abs() < 1.5, "{before} then {}", house.tail());
}

#[test]
fn learnt_places_survive_a_restart_in_few_bytes() {
    let mut house = House::of(8);
    house.set(0, 19.0).hours(48);
    let before = house.tail();
    let saved = serde_json::to_string(&house.sensors).unwrap();
    assert!(saved.len() < 8 * 130, "{} bytes: {saved}", saved.len());
    house.sensors = serde_json::from_str(&saved).unwrap();
    house.minutes(2);
    assert!((house.tail() - before).abs() < 0.1, "{before} then {}", house.tail());
}

#[test]
fn other_sensors_start_with_nothing_learnt() {
    let mut house = House::of(4);
    house.set(0, 11.0).hours(12);
    assert_eq!(house.verdict(0), Verdict::Closed);
    house.settings.rooms[0].name = "another".to_owned();
    house.minutes(1);
    assert_eq!(house.verdict(0), Verdict::Counted);
}

#[test]
fn the_estimate_is_given_up_after_six_hours_with_too_few_sensors() {
    let mut house = House::of(3);
    house.hours(48);
    house.rooms = vec![Some(21.0), None, None];
    house.hours(5);
    assert!(house.seen.tail.is_some());
    house.hours(3);
    assert!(house.seen.tail.is_none());
}
