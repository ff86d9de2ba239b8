"""## Retours des documents

Chaque soir, le SIGB est interrogé sur les prêts que les tournées ont vus et dont la fin n'est pas connue : sont-ils
toujours ouverts ? Rien n'est envoyé, et rien n'est écrit dans le SIGB.

* **Plus là** : le document est rendu ; ce jour est noté.
* **Autre échéance** : le prêt est prolongé ; ce jour est noté.
* **Toujours ouvert** : il est demandé à nouveau le lendemain.
* **En retard depuis plus d'un an** (`[statistics] follow_months` de `library.toml`) : il n'est plus demandé.

La page **Relances**, *Statistiques*, en tire la part des documents rendus après chaque étape et les retards longs,
étudiants et personnels. Un soir manqué ne se rattrape pas : le lendemain dit ce qui est encore ouvert, et ce qui s'est
fermé entre les deux n'est compté que si le jour en est sûr.

**Mesurer l'effet des SMS** compte ensuite le mois et calcule ce que dit la page *Effet des SMS*. Cette tâche ne demande
rien au SIGB et peut être refaite.

Si le SIGB ne connaît plus aucun de beaucoup de prêts, c'est de lui qu'on doute : rien n'est noté, la tâche est essayée
à nouveau. On peut l'« Effacer » et la refaire le même jour sans que rien ne compte double.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import arguments_beside_stages, each_library, nightly
from loan_reminders.operators import LookAtLoans, MeasureEffect

for _ in each_library():
    with DAG(schedule=nightly(23, 15), doc_md=__doc__, **arguments_beside_stages("loan_returns")):
        LookAtLoans() >> MeasureEffect()
