"""A small internet on one machine, made of real mailsys hosts and a DNS of its own."""
