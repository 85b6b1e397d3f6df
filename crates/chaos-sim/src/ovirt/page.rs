//! Pages: what the web server in front of the engine and the servlet container around it answer in HTML.

use crate::wire::Reply;

const APACHE: &str = "text/html; charset=iso-8859-1";
const CONTAINER: &str = "text/html;charset=UTF-8";

/// A page of the web server.
pub(super) fn web_server(status: u16) -> Reply {
    let (title, text) = match status {
        400 => ("Bad Request", "Your browser sent a request that this server could not understand.<br />\n"),
        414 => {
            ("Request-URI Too Long", "The requested URL's length exceeds the capacity\nlimit for this server.<br />\n")
        }
        404 => ("Not Found", "The requested URL was not found on this server.\n"),
        _ => (
            "Service Unavailable",
            "The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\n\
             problems. Please try again later.",
        ),
    };
    let page = format!(
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {title}</title>\n\
         </head><body>\n<h1>{title}</h1>\n<p>{text}</p>\n</body></html>\n"
    );
    Reply::new(status, APACHE, page).refused(title)
}

/// A page of the servlet container: one sentence.
pub(super) fn container(status: u16, text: &str) -> Reply {
    let page = format!("<html><head><title>Error</title></head><body>{text}</body></html>");
    Reply::new(status, CONTAINER, page).refused(text)
}

/// The page for a path that leads nowhere, also while the engine's applications are being deployed.
pub(super) fn not_found() -> Reply {
    container(404, "Not Found")
}
