//! The command line: one binary, `heatstation`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use heatstation::commands::{self, Failure, Outcome, bench, indicators, simulate};
use heatstation::store::ExportFormat;
use jiff::civil::Date;
use tracing_subscriber::EnvFilter;

/// Supervisory controller for district-heating heat-exchange stations (换热站).
///
/// Software is not the safety layer: thermostats, safety valves and hard-wired switches stay hardware.
#[derive(Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How logs are written to stderr.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Which logs: error, warn, info, debug, trace, or per module as in `heatstation=debug`.
    #[arg(long, global = true, default_value = "warn", env = "HEATSTATION_LOG")]
    log: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum JournalFormat {
    Jsonl,
    Csv,
}

#[derive(Args)]
struct Config {
    /// The station's file, as in config/stations/demo.toml.
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Simulator, controller and page in one process, with nothing to install.
    #[command(after_help = "Example: heatstation demo --speed 10")]
    Demo {
        /// Another station to demonstrate.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Where records are kept; a temporary folder if not given.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Where the page listens.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// How many times as fast as real time, 1 to 60.
        #[arg(long, default_value_t = 1)]
        speed: u32,
        /// The seed of weather, rooms and noise; the scenario's, or 1.
        #[arg(long)]
        seed: Option<u64>,
        /// What happens: the name of a scenario, or the path of its file.
        #[arg(long, value_name = "NAME|FILE", default_value = "steady")]
        scenario: String,
    },
    /// The daemon. SIGHUP reads the configuration again, SIGUSR1 resets latched trips whose cause is gone.
    #[command(after_help = "Example: heatstation run /etc/heatstation/station.toml --data /var/lib/heatstation")]
    Run {
        #[command(flatten)]
        config: Config,
        /// Where records and history are kept, instead of the configured folder.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Where the page listens, instead of the configured address.
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Every problem of a configuration at once; exit code 0 sound, 2 not.
    #[command(after_help = "Example: heatstation check config/stations/two-zones.toml")]
    Check {
        #[command(flatten)]
        config: Config,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// What every setting became and from where.
    #[command(after_help = "Example: heatstation explain config/stations/minimal.toml")]
    Explain {
        #[command(flatten)]
        config: Config,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// The station's points: name, unit, range, direction, where it is read.
    #[command(after_help = "Example: heatstation points config/stations/demo.toml --json")]
    Points {
        #[command(flatten)]
        config: Config,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// The JSON Schema of station files, or of another kind of file, for editors.
    #[command(after_help = "Example: heatstation schema > station.schema.json")]
    Schema {
        /// Of which kind of file.
        #[arg(value_enum, default_value = "station")]
        of: commands::inspect::FileKind,
    },
    /// The draft of a device template from a maker's register list.
    #[command(after_help = "Example: heatstation import-csv list.csv --address-base modicon > devices/mine.toml")]
    ImportCsv {
        /// The list: CSV in UTF-8, its first line with English or Chinese headings.
        list: PathBuf,
        /// How the list counts its addresses.
        #[arg(long, value_enum, default_value = "zero")]
        address_base: commands::inspect::AddressBase,
    },
    /// The exact read requests in the order and rhythm in which they are sent, with what they cost; asks no device.
    #[command(after_help = "Example: heatstation plan config/stations/demo.toml")]
    Plan {
        #[command(flatten)]
        config: Config,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// A secret for a source that posts samples, shown once, and the line of the station's file that knows it.
    #[command(after_help = "Example: heatstation token new")]
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Reads each point once and prints value, quality and raw words, under each order of bytes, for commissioning.
    #[command(
        after_help = "Examples: heatstation probe station.toml --point 'circuit.*.temperature'\n          heatstation \
                      probe station.toml --raw plc holding-register 100 10\n          heatstation probe station.toml \
                      --write circuit.low-zone.valve.position=0.3"
    )]
    Probe {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        wanted: commands::probe::Wanted,
        /// Writes one point instead, POINT=VALUE in the point's unit, and reads it back.
        #[arg(long, value_name = "POINT=VALUE", conflicts_with_all = ["point", "device"])]
        write: Option<String>,
        /// Writes without asking.
        #[arg(long, requires = "write")]
        yes: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Which nodes an OPC UA server has and what they say, for commissioning.
    #[command(
        after_help = "Example: heatstation browse station.toml --server plc --node \"nsu=http://plc.example/;s=Heating\""
    )]
    Browse {
        #[command(flatten)]
        order: commands::browse::Order,
    },
    /// The certificates of OPC UA: who is trusted, who knocked, and our own.
    #[command(after_help = "Example: heatstation pki list --data /var/lib/heatstation")]
    Pki {
        #[command(subcommand)]
        action: commands::pki::Action,
        #[command(flatten)]
        place: commands::pki::Place,
    },
    /// Which Modbus units are behind a wire, and which of their addresses answer. Only reads, slowly. A controller that is
    /// running shares the line (a serial port it holds alone): its samples come later while this runs. Ctrl-C ends it
    /// after the question under way, with what was found.
    #[command(after_help = "Examples: heatstation scan station.toml --wire plc\n          heatstation scan --address \
                      192.168.1.10:502 --units 1-32 --yes")]
    Scan {
        #[command(flatten)]
        order: commands::scan::Order,
    },
    /// Closed loop in virtual time: the whole season unless told less.
    #[command(
        after_help = "Example: heatstation simulate config/stations/demo.toml --weather Jinan.epw --series out.csv"
    )]
    Simulate {
        #[command(flatten)]
        config: Config,
        /// The first day.
        #[arg(long)]
        from: Option<Date>,
        /// The last day.
        #[arg(long)]
        to: Option<Date>,
        /// An EnergyPlus weather file; the scenario's weather or the seeded generator if not given.
        #[arg(long, value_name = "FILE.epw")]
        weather: Option<PathBuf>,
        /// The seed of weather, rooms and noise; the scenario's, or 1.
        #[arg(long)]
        seed: Option<u64>,
        /// What happens: the name of a scenario, or the path of its file. It says when it begins and how long it is
        /// watched, unless days are given.
        #[arg(long, value_name = "NAME|FILE")]
        scenario: Option<String>,
        /// How the station is run.
        #[arg(long, value_enum, default_value = "configured")]
        strategy: simulate::Strategy,
        /// What it hears of a meteorological service, or how wrong the hourly forecast is.
        #[arg(long, value_enum, default_value = "silent")]
        forecast: simulate::Service,
        /// For programs.
        #[arg(long)]
        json: bool,
        /// Writes one row a minute to this CSV file.
        #[arg(long, value_name = "FILE.csv")]
        series: Option<PathBuf>,
        /// Writes what happened to this file, one JSON object a line.
        #[arg(long, value_name = "FILE.jsonl")]
        events: Option<PathBuf>,
    },
    /// Closed loop against anybody's plant: JSON lines on stdin and stdout.
    #[command(after_help = "Example: my_plant.py | heatstation cosim config/stations/demo.toml")]
    Cosim {
        #[command(flatten)]
        config: Config,
        /// Where records are kept; none are if not given.
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// The simulator alone as a PLC on a Modbus line, for testing any controller. SIGUSR1 prints what its wire faults did.
    #[command(
        after_help = "Examples:\n  heatstation plant pump-trip --listen 127.0.0.1:5020 --speed 10\n  heatstation plant steady \
                      --units 10 --signatures --wire-faults \"late 300ms, cut 10s, silent unit 3\"\n\nEvery wire fault: \
                      heatstation plant steady --wire-faults help"
    )]
    Plant(commands::plant::Order),
    /// Comparisons on simulated plants.
    Bench {
        #[command(subcommand)]
        command: BenchCommand,
    },
    /// Service indicators of a season under a named standard, from the records.
    #[command(after_help = "Example: heatstation indicators station.toml --data /var/lib/heatstation --profile zibo")]
    Indicators {
        #[command(flatten)]
        config: Config,
        /// The folder of the records, instead of the configured one.
        #[arg(long)]
        data: Option<PathBuf>,
        /// zibo, xinjiang, tangshan, cdha, hanzhong; the station's own if not given.
        #[arg(long)]
        profile: Option<String>,
        /// How it is written.
        #[arg(long, value_enum, default_value = "table")]
        format: indicators::Format,
    },
    /// The hash-chained journal.
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// A copy of all records and of the history, sound or none; the daemon may be running.
    #[command(after_help = "Example: heatstation backup --data /var/lib/heatstation --to /mnt/backup/2026-12-01.db")]
    Backup {
        /// The data folder.
        #[arg(long)]
        data: PathBuf,
        /// The file to make; never one that is there.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Fills a data folder that has no records from a backup.
    #[command(after_help = "Example: heatstation restore /mnt/backup/2026-12-01.db --data /var/lib/heatstation")]
    Restore {
        /// The backup.
        file: PathBuf,
        /// The data folder; it is made if it is missing.
        #[arg(long)]
        data: PathBuf,
    },
    /// Users that log in over OPC UA.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
}

#[derive(Subcommand)]
enum BenchCommand {
    /// Strategies of control on a family of plants: heat at equal comfort, with intervals.
    ///
    /// The family: four climates, radiators or floors, four classes of insulation; everything an engineer cannot know is
    /// drawn by seed. Baselines: B0 as found, B1 an expert's curve frozen, B2 with building mass, sun and forecast; ORACLE
    /// knows the true rooms and is a bound.
    #[command(after_help = "Example: heatstation bench strategies --plants 8 --days 42 --svg front.svg")]
    Strategies {
        /// How many plants of the family for each seed, 1 to 32.
        #[arg(long, default_value_t = 24)]
        plants: usize,
        /// How many draws of each plant.
        #[arg(long, default_value_t = 1)]
        seeds: u64,
        /// Which set of draws: develop on one, judge by another.
        #[arg(long, value_enum, default_value = "development")]
        set: bench::Set,
        /// Only this many days of each season, around the end of its second third; at least 14, a week of
        /// them warm-up.
        #[arg(long)]
        days: Option<u64>,
        /// An EnergyPlus weather file, or a folder with files of the climates' cities; the seeded generator elsewhere.
        #[arg(long, value_name = "FILE.epw|FOLDER")]
        weather: Option<PathBuf>,
        /// Only these strategies; may be given several times.
        #[arg(long, value_enum)]
        strategy: Vec<heatstation::bench::Strategy>,
        /// How many plants at a time; the number of cores if not given.
        #[arg(long)]
        threads: Option<usize>,
        /// For programs.
        #[arg(long)]
        json: bool,
        /// Draws heat over pass share.
        #[arg(long, value_name = "FILE.svg")]
        svg: Option<PathBuf>,
    },
    /// How closely the supply follows its setpoint through a season, and whether a valve four times too large hunts.
    #[command(after_help = "Example: heatstation bench tracking --days 21")]
    Tracking {
        /// Another station than that of the demonstration.
        #[arg(long, value_name = "STATION.toml")]
        config: Option<PathBuf>,
        /// Only the first days of the season.
        #[arg(long)]
        days: Option<u64>,
        /// An EnergyPlus weather file; the seeded generator if not given.
        #[arg(long, value_name = "FILE.epw")]
        weather: Option<PathBuf>,
        /// The seed of weather, rooms and noise.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// The hash of a password for the station file; the password is read from the terminal or from stdin.
    #[command(after_help = "Example: heatstation user hash < password.txt")]
    Hash,
}

#[derive(Subcommand)]
enum JournalCommand {
    /// Is it what was written? Exit code 0 only when sound.
    #[command(after_help = "Example: heatstation journal verify --data /var/lib/heatstation")]
    Verify {
        /// The data folder, or a copy of the database file.
        #[arg(long)]
        data: PathBuf,
        /// A head that was kept elsewhere, SEQUENCE:HASH: a journal that was cut shorter shows.
        #[arg(long, value_name = "SEQUENCE:HASH")]
        head: Option<String>,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// The records on stdout.
    #[command(after_help = "Example: heatstation journal export --data /var/lib/heatstation --kind outage_opened")]
    Export {
        /// The data folder.
        #[arg(long)]
        data: PathBuf,
        /// How they are written.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: JournalFormat,
        /// Only records of this kind; may be given several times.
        #[arg(long)]
        kind: Vec<String>,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Makes one of 256 random bits.
    #[command(after_help = "Example: heatstation token new")]
    New,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(problem) = start_logs(&cli) {
        return end(&Failure::Usage(problem));
    }
    match obey(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    let mut stderr = std::io::stderr().lock();
    let _ = match failure {
        Failure::Silent(_) => Ok(()),
        Failure::Configuration(problems) if std::io::IsTerminal::is_terminal(&stderr) => {
            writeln!(stderr, "{}", problems.coloured())
        }
        Failure::Configuration(problems) => writeln!(stderr, "{problems}"),
        Failure::Usage(_) | Failure::Running(_) => writeln!(stderr, "heatstation: {failure}"),
    };
    ExitCode::from(failure.exit_code())
}

fn start_logs(cli: &Cli) -> Result<(), String> {
    // The OPC UA library calls each attempt to reach a server that is off an error, for ever; what matters of it our own
    // rooms say, once. Whoever wants to see it asks for it: `--log warn,opcua_client=debug`.
    let quiet = "opcua_client=off,opcua_core=off,opcua_crypto=off,opcua_types=off";
    let filter =
        EnvFilter::try_new(format!("{quiet},{}", cli.log)).map_err(|error| format!("--log {}: {error}", cli.log))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}

fn obey(command: Command) -> Outcome {
    match command {
        Command::Demo { config, data, listen, speed, seed, scenario } => {
            let order = commands::demo::Order { configuration: config, data, listen, speed, seed, scenario };
            in_runtime(commands::demo::run(order))
        }
        Command::Run { config, data, listen } => in_runtime(commands::run::run(&config.config, data, listen)),
        Command::Check { config, json } => commands::inspect::check(&config.config, json),
        Command::Explain { config, json } => commands::inspect::explain(&config.config, json),
        Command::Points { config, json } => commands::inspect::points(&config.config, json),
        Command::Schema { of } => commands::inspect::schema(of),
        Command::Token { command: TokenCommand::New } => commands::token::new(),
        Command::ImportCsv { list, address_base } => commands::inspect::import_csv(&list, address_base),
        Command::Plan { config, json } => commands::plan::run(&config.config, json),
        Command::Probe { config, write: Some(write), yes, .. } => {
            in_runtime(commands::probe::write(&config.config, &write, yes))
        }
        Command::Probe { config, wanted, json, .. } => in_runtime(commands::probe::read(&config.config, &wanted, json)),
        Command::Scan { order } => in_runtime(commands::scan::run(order)),
        Command::Browse { order } => in_runtime(commands::browse::run(order)),
        Command::Pki { action, place } => commands::pki::run(place, action),
        Command::Simulate { config, from, to, weather, seed, scenario, strategy, forecast, json, series, events } => {
            let configuration = config.config;
            simulate::run(&simulate::Order {
                configuration,
                from,
                to,
                weather,
                seed,
                scenario,
                strategy,
                forecast,
                json,
                series,
                events,
            })
        }
        Command::Cosim { config, data } => {
            commands::cosim::run(&config.config, data, std::io::stdin().lock(), std::io::stdout().lock())
        }
        Command::Plant(order) => in_runtime(commands::plant::run(order)),
        Command::Bench {
            command: BenchCommand::Strategies { plants, seeds, set, days, weather, strategy, threads, json, svg },
        } => bench::strategies(bench::Request {
            plants,
            seeds,
            set,
            days,
            weather,
            strategies: strategy,
            threads,
            json,
            svg,
        }),
        Command::Bench { command: BenchCommand::Tracking { config, days, weather, seed, json } } => {
            bench::supply_loop(&bench::TrackingRequest { configuration: config, days, weather, seed, json })
        }
        Command::Indicators { config, data, profile, format } => {
            indicators::run(&config.config, data, profile.as_deref(), format)
        }
        Command::Backup { data, to } => commands::backup::save(&data, &to),
        Command::Restore { file, data } => commands::backup::bring_back(&file, &data),
        Command::User { command: UserCommand::Hash } => commands::user::hash(),
        Command::Journal { command: JournalCommand::Verify { data, head, json } } => {
            commands::journal::check(&data, head.as_deref(), json)
        }
        Command::Journal { command: JournalCommand::Export { data, format, kind } } => {
            let format = match format {
                JournalFormat::Jsonl => ExportFormat::JsonLines,
                JournalFormat::Csv => ExportFormat::Csv,
            };
            commands::journal::write_out(&data, format, &kind)
        }
    }
}

fn in_runtime(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(work)
}
