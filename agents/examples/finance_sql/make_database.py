#!/usr/bin/env python3
"""Makes books.db beside this file: three customers and their invoices of 2026."""

import sqlite3
from pathlib import Path

CUSTOMERS = [(1, "Arkona"), (2, "Brightwell"), (3, "Corvus")]
INVOICES = [(1, "2026-01-12", 1200), (2, "2026-01-30", 800), (1, "2026-02-14", 950), (3, "2026-03-02", 2100),
            (2, "2026-03-19", 1300), (1, "2026-03-28", 600), (3, "2026-04-09", 1750)]


def main():
    file = Path(__file__).resolve().parent / "books.db"
    file.unlink(missing_ok=True)
    database = sqlite3.connect(file)
    database.executescript("""
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
                               issued TEXT NOT NULL, amount INTEGER NOT NULL);
    """)
    database.executemany("INSERT INTO customers VALUES (?, ?)", CUSTOMERS)
    database.executemany("INSERT INTO invoices (customer_id, issued, amount) VALUES (?, ?, ?)", INVOICES)
    database.commit()
    database.close()


if __name__ == "__main__":
    main()
