"""## Retours des e-mails

Toutes les heures, la boîte où reviennent les e-mails qui n'ont pas pu être remis (connexion `bounce_mailbox`, partie
`[bounces]` de `library.toml`). Sans cette connexion, la tâche est passée : rien n'est en panne.

* **Retour définitif** (adresse inconnue, boîte fermée) : l'e-mail est marqué *revenu*, et cette adresse n'est plus
  servie. Elle est à la page **Relances**, parmi les désinscrits ; on peut l'y rétablir.
* **Retour provisoire** (boîte pleine, message refusé, serveur muet) : l'e-mail est marqué *revenu*, l'adresse reste
  servie. Quand les `soft_failures` derniers e-mails partis pour elle sont tous revenus, elle ne l'est plus.
* **Retard annoncé** : rien ne change, le serveur essaie encore.
* **Réponse automatique** (absence…) : rien ne change.

À la première et à la deuxième lettre de relance, la tournée suivante envoie une lettre au lecteur dont l'e-mail est
revenu, si le document n'est toujours pas rendu et si l'étape est encore la bonne.

Ce qui est compris est rangé dans le dossier `done_folder`, jamais effacé. Les réponses de lecteurs restent en place,
non lues. Un retour qui ne cite rien de ce que la bibliothèque a envoyé ne change rien.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import arguments_beside_stages, each_library, hourly
from loan_reminders.operators import ReadBounces

for _ in each_library():
    with DAG(schedule=hourly(25), doc_md=__doc__, **arguments_beside_stages("mail_feedback")):
        ReadBounces()
