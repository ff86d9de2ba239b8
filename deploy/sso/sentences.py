"""What a person is told whose log-in is refused."""

NOT_GRANTED = "Le service de connexion de l'établissement n'a pas accordé l'accès."
NOT_VALID = "La réponse du service de connexion n'est pas valable : elle est refusée. Prévenir l'administrateur."
TOO_OLD = "La réponse du service de connexion a expiré : recommencer ; si cela dure, une horloge est fausse."
STALE = "Cette connexion a été commencée ailleurs ou il y a trop longtemps : la recommencer ici."
SILENT = "Le service de connexion de l'établissement ne répond pas : réessayer dans quelques minutes."
NO_GROUP = (
    "Vous êtes bien reconnu, mais aucun de vos groupes ne donne accès aux relances : demandez-le à la bibliothèque."
)
NAMELESS = "Le service de connexion n'a pas dit votre identifiant : prévenir l'administrateur."
OTHER_ACCOUNT = "Un autre compte porte déjà votre identifiant : prévenir l'administrateur."
CLOSED = "Votre compte est fermé dans Airflow : prévenir l'administrateur."
NOT_THIS_WAY = "Ici, on se connecte par l'établissement : aucun mot de passe n'est accepté."
