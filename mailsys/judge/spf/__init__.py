"""SPF: may this host send for this domain?  Records, their macros, and the evaluation of RFC 7208."""
