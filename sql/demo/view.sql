-- The tables of a site whose view is read (sql/view/create_<engine>.sql), for the fictional library.
-- The same on Oracle, PostgreSQL, MariaDB and SQLite.
CREATE TABLE site_loans (
    loan_id          INTEGER       NOT NULL,
    reader_id        VARCHAR(12)   NOT NULL,
    item_id          VARCHAR(15)   NOT NULL,
    lent_on          DATE,
    due_on           DATE,
    returned_on      DATE,
    renewals         INTEGER,
    branch           VARCHAR(5),
    reader_category  VARCHAR(2),
    state            VARCHAR(10)
);
CREATE UNIQUE INDEX site_loans_by_key ON site_loans (loan_id);
CREATE INDEX site_loans_by_due_date ON site_loans (due_on);
CREATE TABLE site_readers (
    reader_id   VARCHAR(12)   NOT NULL,
    card        VARCHAR(20),
    kind        VARCHAR(2),
    last_name   VARCHAR(400),
    first_name  VARCHAR(400),
    lang        VARCHAR(3),
    email       VARCHAR(200),
    sms         VARCHAR(30),
    phone_1     VARCHAR(30),
    phone_2     VARCHAR(30),
    phone_3     VARCHAR(30),
    phone_4     VARCHAR(30),
    line_1      VARCHAR(200),
    line_2      VARCHAR(200),
    line_3      VARCHAR(200),
    line_4      VARCHAR(200),
    postcode    VARCHAR(9)
);
CREATE UNIQUE INDEX site_readers_by_key ON site_readers (reader_id);
CREATE TABLE site_items (
    item_id      VARCHAR(15)   NOT NULL,
    title        VARCHAR(500),
    author       VARCHAR(300),
    call_number  VARCHAR(100),
    volume       VARCHAR(200),
    barcode      VARCHAR(30),
    status       VARCHAR(2),
    price        VARCHAR(20)
);
CREATE UNIQUE INDEX site_items_by_key ON site_items (item_id);
