-- The tables of PMB that the extraction reads, with the columns it names, and a password, which it must not see: names
-- and types as the published dumps have them.
-- MyISAM and three-byte UTF-8, as in the older of the two: no transactions, no sign beyond U+FFFF, '' instead of NULL.
CREATE TABLE pret (
    pret_idempr      INT(10) UNSIGNED NOT NULL DEFAULT 0,
    pret_idexpl      INT(10) UNSIGNED NOT NULL DEFAULT 0,
    pret_date        DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
    pret_retour      DATE NULL,
    pret_arc_id      INT(10) UNSIGNED NOT NULL DEFAULT 0,
    niveau_relance   INT(1) NOT NULL DEFAULT 0,
    cpt_prolongation INT(1) NOT NULL DEFAULT 0,
    pret_pnb_flag    INT(1) NOT NULL DEFAULT 0,
    PRIMARY KEY (pret_idexpl),
    KEY i_pret_idempr (pret_idempr),
    KEY i_pret_arc_id (pret_arc_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE empr (
    id_empr       INT(10) UNSIGNED NOT NULL AUTO_INCREMENT,
    empr_cb       VARCHAR(255) NULL,
    empr_nom      VARCHAR(255) NOT NULL DEFAULT '',
    empr_prenom   VARCHAR(255) NOT NULL DEFAULT '',
    empr_adr1     VARCHAR(255) NOT NULL DEFAULT '',
    empr_adr2     VARCHAR(255) NOT NULL DEFAULT '',
    empr_cp       VARCHAR(10) NOT NULL DEFAULT '',
    empr_ville    VARCHAR(255) NOT NULL DEFAULT '',
    empr_pays     VARCHAR(255) NOT NULL DEFAULT '',
    empr_mail     VARCHAR(255) NOT NULL DEFAULT '',
    empr_tel1     VARCHAR(255) NOT NULL DEFAULT '',
    empr_tel2     VARCHAR(255) NOT NULL DEFAULT '',
    empr_sms      INT(1) UNSIGNED NOT NULL DEFAULT 0,
    empr_year     INT(4) UNSIGNED NOT NULL DEFAULT 0,
    empr_categ    SMALLINT(5) UNSIGNED NOT NULL DEFAULT 0,
    empr_codestat SMALLINT(5) UNSIGNED NOT NULL DEFAULT 0,
    empr_lang     VARCHAR(10) NOT NULL DEFAULT 'fr_FR',
    empr_location INT(6) UNSIGNED NOT NULL DEFAULT 1,
    empr_password VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (id_empr),
    UNIQUE KEY empr_cb (empr_cb)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE exemplaires (
    expl_id       INT(10) UNSIGNED NOT NULL AUTO_INCREMENT,
    expl_cb       VARCHAR(255) NOT NULL DEFAULT '',
    expl_notice   INT(10) UNSIGNED NOT NULL DEFAULT 0,
    expl_bulletin INT(10) UNSIGNED NOT NULL DEFAULT 0,
    expl_cote     VARCHAR(255) NOT NULL DEFAULT '',
    expl_prix     VARCHAR(255) NOT NULL DEFAULT '',
    expl_statut   SMALLINT(5) UNSIGNED NOT NULL DEFAULT 0,
    expl_location SMALLINT(5) UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (expl_id),
    UNIQUE KEY expl_cb (expl_cb)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE notices (
    notice_id MEDIUMINT(8) UNSIGNED NOT NULL AUTO_INCREMENT,
    tit1      TEXT NULL,
    tparent_id MEDIUMINT(8) UNSIGNED NOT NULL DEFAULT 0,
    tnvol     VARCHAR(100) NOT NULL DEFAULT '',
    prix      VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (notice_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE bulletins (
    bulletin_id     INT(8) UNSIGNED NOT NULL AUTO_INCREMENT,
    bulletin_numero VARCHAR(255) NOT NULL DEFAULT '',
    bulletin_notice INT(8) NOT NULL DEFAULT 0,
    mention_date    VARCHAR(50) NOT NULL DEFAULT '',
    PRIMARY KEY (bulletin_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE series (
    serie_id   MEDIUMINT(8) UNSIGNED NOT NULL AUTO_INCREMENT,
    serie_name VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (serie_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE authors (
    author_id     MEDIUMINT(8) UNSIGNED NOT NULL AUTO_INCREMENT,
    author_name   VARCHAR(255) NOT NULL DEFAULT '',
    author_rejete VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (author_id)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3;

CREATE TABLE responsability (
    responsability_author MEDIUMINT(8) UNSIGNED NOT NULL DEFAULT 0,
    responsability_notice MEDIUMINT(8) UNSIGNED NOT NULL DEFAULT 0,
    responsability_type   MEDIUMINT(1) UNSIGNED NOT NULL DEFAULT 0,
    responsability_ordre  SMALLINT(2) UNSIGNED NOT NULL DEFAULT 0,
    KEY responsability_notice (responsability_notice)
) ENGINE = MyISAM DEFAULT CHARSET = utf8mb3
