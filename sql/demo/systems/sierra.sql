-- What the extraction reads of Sierra, as tables in the place of its views: names as site scripts use them, types as the
-- vendor's pages and those scripts tell. Indexes on the keys that the views are read by.
CREATE SCHEMA sierra_view;

CREATE TABLE sierra_view.checkout (
    id                BIGINT PRIMARY KEY,
    patron_record_id  BIGINT NOT NULL,
    item_record_id    BIGINT NOT NULL,
    due_gmt           TIMESTAMPTZ,
    loanrule_code_num INTEGER,
    checkout_gmt      TIMESTAMPTZ,
    renewal_count     INTEGER
);
CREATE INDEX checkout_patron ON sierra_view.checkout (patron_record_id);

CREATE TABLE sierra_view.record_metadata (
    id               BIGINT PRIMARY KEY,
    record_type_code CHAR(1),
    record_num       INTEGER,
    campus_code      VARCHAR(5) NOT NULL DEFAULT ''
);

CREATE TABLE sierra_view.patron_record (
    id                     BIGINT PRIMARY KEY,
    ptype_code             SMALLINT,
    pcode1                 CHAR(1),
    pcode2                 CHAR(1),
    pcode3                 SMALLINT,
    pcode4                 INTEGER,
    iii_language_pref_code VARCHAR(3),
    birth_date_gmt         DATE,
    expiration_date_gmt    TIMESTAMPTZ
);

CREATE TABLE sierra_view.patron_record_fullname (
    patron_record_id BIGINT,
    display_order    INTEGER,
    last_name        VARCHAR(500),
    first_name       VARCHAR(500)
);
CREATE INDEX fullname_patron ON sierra_view.patron_record_fullname (patron_record_id);

CREATE TABLE sierra_view.patron_record_address (
    patron_record_id              BIGINT,
    patron_record_address_type_id INTEGER,
    display_order                 INTEGER,
    addr1                         VARCHAR(1000),
    addr2                         VARCHAR(1000),
    addr3                         VARCHAR(1000),
    village                       VARCHAR(1000),
    city                          VARCHAR(1000),
    region                        VARCHAR(1000),
    postal_code                   VARCHAR(100),
    country                       VARCHAR(1000)
);
CREATE INDEX address_patron ON sierra_view.patron_record_address (patron_record_id);

CREATE TABLE sierra_view.patron_record_phone (
    patron_record_id            BIGINT,
    patron_record_phone_type_id INTEGER,
    display_order               INTEGER,
    phone_number                VARCHAR(200)
);
CREATE INDEX phone_patron ON sierra_view.patron_record_phone (patron_record_id);

CREATE TABLE sierra_view.patron_record_phone_type (
    id   INTEGER PRIMARY KEY,
    code CHAR(1)
);

CREATE TABLE sierra_view.varfield (
    record_id          BIGINT,
    varfield_type_code CHAR(1),
    occ_num            INTEGER,
    field_content      VARCHAR(20001)
);
CREATE INDEX varfield_record ON sierra_view.varfield (record_id);

CREATE TABLE sierra_view.item_record (
    id                                BIGINT PRIMARY KEY,
    location_code                     CHAR(5),
    item_status_code                  CHAR(1),
    price                             NUMERIC(30, 6),
    checkout_statistic_group_code_num INTEGER
);

CREATE TABLE sierra_view.item_record_property (
    item_record_id BIGINT,
    barcode        VARCHAR(1000),
    call_number    VARCHAR(1000)
);
CREATE INDEX property_item ON sierra_view.item_record_property (item_record_id);

CREATE TABLE sierra_view.bib_record_item_record_link (
    bib_record_id      BIGINT,
    item_record_id     BIGINT,
    bibs_display_order INTEGER
);
CREATE INDEX link_item ON sierra_view.bib_record_item_record_link (item_record_id);

CREATE TABLE sierra_view.bib_record_property (
    bib_record_id BIGINT PRIMARY KEY,
    best_title    VARCHAR(1000),
    best_author   VARCHAR(1000)
);

CREATE TABLE sierra_view.statistic_group (
    code_num      INTEGER,
    location_code CHAR(5)
)
