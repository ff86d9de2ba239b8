"""## Surveillance des tournées

Toutes les heures, le registre est relu : chaque étape a-t-elle eu, chaque jour, une tournée réussie ? Cette tâche ne
dépend d'aucune étape : une étape arrêtée ne peut pas annoncer elle-même qu'elle l'est.

**Rouge** tant que quelque chose manque, **verte** sinon. Le journal dit quoi, et que faire :

* **aucune tournée** un jour des trente derniers : étape en pause, ordonnanceur arrêté, tournée qui retient les
  suivantes. « Déclencher » l'étape, avec le *jour de référence* ;
* **comptes qui ne sont pas justes** : lire « Clore et vérifier » de cette tournée, réparer, « Effacer » ;
* **tournée commencée et jamais close** : interrompue, en échec, ou tâches marquées comme réussies à la main ;
* **tournée qui n'avance plus** depuis six jours.

Ce qui attend une personne n'est pas un manque : une question sur le volume (un jour au plus), des lettres recommandées
à valider (aussi longtemps qu'il faut). Une tournée du jour peut commencer jusqu'à deux heures après son heure.
Les jours d'avant la première tournée réussie d'une étape ne comptent pas. Un jour rattrapé est réglé, même s'il n'y
avait plus rien à envoyer.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import arguments_beside_stages, each_library, hourly
from loan_reminders.operators import WatchRuns

for _ in each_library():
    with DAG(schedule=hourly(40), doc_md=__doc__, **arguments_beside_stages("watch")):
        WatchRuns()
