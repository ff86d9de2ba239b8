"""## Effacement

Chaque nuit, ce qui a été conservé assez longtemps est effacé du registre et du dossier des lettres (partie
`[retention]` de `library.toml`) :

* **les prêts**, leurs messages, leurs lettres et leurs réponses, quatre mois après le retour (`loan_months`) ; si le
  retour n'est pas connu, quatre mois après la dernière chose qu'on en sait ;
* **les lecteurs**, un an après la dernière tournée qui les a vus (`reader_months`), quand il ne reste rien d'eux ;
* **un lot de lettres**, fichiers compris, quand la dernière de ses lettres est effacée.

Ce qui est **en litige** reste jusqu'à la date notée sur la page du lecteur. Restent aussi, sans rien qui nomme un
lecteur : les statistiques, le journal, les désinscriptions (STOP, numéros morts), et de chaque prêt effacé une
empreinte, pour qu'il ne soit jamais relancé.

Tant que `erase = true` n'est pas dans `library.toml`, rien n'est effacé : la tâche compte ce qui le serait. De même
avec *Essai à blanc*. Ce qui a été effacé est compté dans la note de la tournée et au journal. On peut « Effacer » la
tâche et la refaire : elle reprend où elle s'est arrêtée.
"""

from airflow.sdk import DAG, Param

from loan_reminders.dag_arguments import arguments_beside_stages, each_library, nightly
from loan_reminders.operators import EraseExpired

DRY_RUN = {"dry_run": Param(False, type="boolean", title="Essai à blanc", description="Compter, sans rien effacer.")}

for _ in each_library():
    with DAG(schedule=nightly(1, 30), doc_md=__doc__, params=DRY_RUN, **arguments_beside_stages("retention")):
        EraseExpired()
