//! nginx: pages to read, with and without TLS.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Fills the folder that it is started in.
pub(super) fn prepare(folder: &Path, keys: &Path, port: u16, tls: u16) -> Result<()> {
    let www = folder.join("www");
    fs::create_dir(&www)?;
    fs::write(
        www.join("long.txt"),
        "the same words again and again\n".repeat(3000),
    )?;
    fs::write(www.join("large.bin"), vec![0x55; 2 << 20])?;
    let keys = keys.display();
    let config = format!(
        "daemon off; master_process off; pid nginx.pid;
         events {{ }}
         http {{
           access_log off; client_body_temp_path body; proxy_temp_path proxy;
           fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
           gzip on; gzip_types *;
           server {{
             listen 127.0.0.1:{port}; listen 127.0.0.1:{tls} ssl http2;
             server_name localhost; absolute_redirect off;
             ssl_certificate {keys}/server.pem; ssl_certificate_key {keys}/server.key;
             root www; default_type text/plain;
             location = /hello {{ return 200 'hello from nginx'; }}
             location = /json {{ default_type application/json; return 200 '{{\"n\":[1,2,3]}}'; }}
             location = /moved {{ return 302 /hello; }}
             location = /set-cookie {{ add_header Set-Cookie 'taste=sweet'; return 200 'set'; }}
             location = /show-cookie {{ return 200 '$cookie_taste'; }}
           }}
         }}"
    );
    fs::write(folder.join("nginx.conf"), config)?;
    Ok(())
}
