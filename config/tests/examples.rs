//! scratch
#[test]
fn see() {
    for (name, text) in heatstation_config::EXAMPLES {
        match heatstation_config::check(name, text, None) {
            Ok(station) => { println!("{name} ok, {} warnings {}", station.warnings.list().len(), station.warnings);
              if name=="demo" { println!("{}", heatstation_config::explain::text(&station.sources)); } }
            Err(problems) => println!("{name}:\n{problems}"),
        }
    }
}
