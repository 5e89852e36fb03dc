//! stub
use std::process::ExitCode;
/// stub
pub fn main() -> ExitCode {
    let file = std::env::args().nth(3).unwrap_or_default();
    let loaded = match crate::config::load(std::path::Path::new(&file)) {
        Ok(l) => l,
        Err(e) => {
            tracing::error!("{e}");
            return ExitCode::from(78);
        }
    };
    let rt = tokio::runtime::Runtime::new().unwrap();
    match rt.block_on(crate::app::run(loaded)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::from(e.exit_code())
        }
    }
}
